// Command stele is the operator's one command line: it builds and publishes images, checks configuration documents and boots images in QEMU.
//
// Each command is one file beside this one and calls one package; nothing is decided here.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/operator/command"
)

// hinted is an error that knows what the user can do next; each line is printed behind "hint: ".
type hinted interface{ Hint() string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "stele: %v\n", err)
		var h hinted
		if errors.As(err, &h) {
			fmt.Fprintf(os.Stderr, "hint: %s\n", h.Hint())
		}
		if ctx.Err() != nil {
			os.Exit(128 + int(syscall.SIGINT)) // as a shell says it
		}
		os.Exit(1)
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "stele",
		Short:         "Build and operate immutable machines",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newBuildCommand(), newLockCommand(), newConfigCommand(), newRunCommand(), newRepoCommand(), newSecureBootCommand(), command.Node(), command.Contexts(), command.PKI())
	return root
}
