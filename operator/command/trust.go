package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/pki"
	"github.com/stele-os/stele/operator/show"
)

// apiPort of machines whose document gives none (agent/plan.DefaultAPIPort).
const apiPort = "7835"

func newTrustCommand() *cobra.Command {
	var fingerprint string
	command := &cobra.Command{
		Use:   "trust NAME ADDRESS[:PORT]",
		Short: "Pin a machine's key, by the fingerprint on its console",
		Long: `Pin a machine's key. The fingerprint stands on the machine's console and in its boot report ("api: port 7835, fingerprint SHA256:...").

With --fingerprint the machine must show that key; without, the command shows what the machine at the address presents and asks.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return trust(cmd.InOrStdin(), cmd.OutOrStdout(), args[0], args[1], fingerprint)
		},
	}
	command.Flags().StringVar(&fingerprint, "fingerprint", "", "what the console says (SHA256:...)")
	return command
}

func trust(in io.Reader, out io.Writer, name, address, fingerprint string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), apiPort)
	}
	shown, err := node.Show(address)
	if err != nil {
		return hint.New(err, "is the machine up, and does its document name spec.api.clientCAs?")
	}
	got := node.Fingerprint(shown)
	switch {
	case fingerprint != "" && got != fingerprint:
		return &node.MismatchError{Node: name, Pinned: fingerprint, Got: got}
	case fingerprint == "":
		fmt.Fprintf(out, "%s shows %s (%s)\nIs this what its console says? [y/N] ", address, got, show.Clean(shown.Subject.CommonName))
		answer, err := bufio.NewReader(in).ReadString('\n')
		if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
			return hint.New(errors.Join(errors.New("the machine is not trusted"), ignoreEOF(err)), "read the fingerprint off its console and give it with --fingerprint")
		}
	}
	file, err := contexts.Load(contexts.DefaultPath())
	if err != nil {
		return err
	}
	file.PutNode(contexts.Node{Name: name, Address: address, Fingerprint: got})
	if err := file.Save(); err != nil {
		return err
	}
	fmt.Fprintf(out, "node %s at %s is trusted by its key, in %s\n", name, address, file.Path())
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func newIdentityCommand(s *session) *cobra.Command {
	command := s.simple("identity", "Show a machine's certificate, or have it signed by one's own CA", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Identity.Get, &nodev1.GetIdentityRequest{})
		if err != nil {
			return err
		}
		if s.output != "table" {
			return show.Data(w, s.output, []show.Answer{{Node: c.Name, Message: answer}})
		}
		return said(w, c, answer.Fingerprint)
	})
	var dir string
	var ttl time.Duration
	sign := s.simple("sign", "Fetch a machine's signing request, sign it, and install the certificate", func(ctx context.Context, c *node.Client, w io.Writer) error {
		authority, err := pki.Load(dir)
		if err != nil {
			return err
		}
		request, err := node.Ask(ctx, c.Identity.CreateRequest, &nodev1.CreateIdentityRequestRequest{})
		if err != nil {
			return err
		}
		signed, err := authority.SignMachine([]byte(request.Request), ttl, time.Now())
		if err != nil {
			return err
		}
		if _, err = node.Ask(ctx, c.Identity.Install, &nodev1.InstallIdentityRequest{Certificates: string(signed)}); err != nil {
			return err
		}
		return said(w, c, "serves a certificate of "+dir+" for "+ttl.String())
	})
	pkiFlags(sign, &dir)
	sign.Flags().DurationVar(&ttl, "ttl", 90*24*time.Hour, "lifetime of the certificate")
	install := &cobra.Command{Use: "install FILE", Short: "Install a certificate, with its chain, that was signed elsewhere", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			chain, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("cannot read certificate: %w", err)
			}
			return s.withOne(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				if _, err := node.Ask(ctx, c.Identity.Install, &nodev1.InstallIdentityRequest{Certificates: string(chain)}); err != nil {
					return err
				}
				return said(cmd.OutOrStdout(), c, "serves the certificate of "+args[0])
			})
		}}
	request := s.simple("request", "Print a signing request (PKCS #10) for the machine's key", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Identity.CreateRequest, &nodev1.CreateIdentityRequestRequest{})
		if err == nil {
			_, err = fmt.Fprint(w, answer.Request)
		}
		return err
	})
	command.AddCommand(sign, request, install)
	return command
}
