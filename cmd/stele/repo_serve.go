package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/repository"
	"github.com/stele-os/stele/internal/hint"
)

func newRepoServeCommand() *cobra.Command {
	var listen string
	command := &cobra.Command{
		Use:   "serve DIR",
		Short: "Serve a repository by http, for trying it out",
		Long: `Serve a repository by http until interrupted, and print each request.

It is for trying things out: machines take nothing from a web server on trust, but this one has no TLS and no limits. Any web server that
serves ranges does as well (nginx, Caddy, an object store); Python's http.server does not. A machine of "stele run" finds the default address
as http://10.0.2.2:8000/.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := repository.Read(readOptions(cmd, args[0])); err != nil {
				return err
			}
			listener, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return hint.New(fmt.Errorf("cannot serve repository: %w", err), "choose another address with --listen HOST:PORT")
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "serving %s at http://%s/, until Ctrl-C\n", args[0], listener.Addr())
			report := func(r *http.Request) { fmt.Fprintf(out, "%s %s %s\n", r.Method, r.URL.Path, r.Header.Get("Range")) }
			return serveRepository(cmd.Context(), listener, args[0], report)
		},
	}
	command.Flags().StringVar(&listen, "listen", "127.0.0.1:8000", "address to listen on")
	return command
}

// serveRepository serves a directory until ctx is over.
func serveRepository(ctx context.Context, listener net.Listener, dir string, report func(*http.Request)) error {
	files := http.FileServer(http.Dir(dir))
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		report(r)
		files.ServeHTTP(w, r)
	})}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); ctx.Err() == nil {
		return fmt.Errorf("cannot serve repository: %w", err)
	}
	return nil
}
