package command

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

func newRollbackCommand(s *session) *cobra.Command {
	var reason string
	var wait time.Duration
	var lower bool
	command := s.simple("rollback", "Restart machines into the version of their other slot, and wait until it has proven itself", func(ctx context.Context, c *node.Client, w io.Writer) error {
		before, err := node.Ask(ctx, c.Machine.Status, &nodev1.StatusRequest{})
		if err != nil {
			return err
		}
		answer, err := node.Ask(ctx, c.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: reason, AcceptLowerSecurity: lower})
		if err != nil {
			return err
		}
		p := &show.Progress{Out: w, Node: c.Name}
		p.Say("restarting into " + answer.ToVersion)
		return waitCommitted(ctx, c, p, answer.ToVersion, before, wait)
	})
	command.Flags().StringVar(&reason, "reason", "", "for the boot's story")
	command.Flags().BoolVar(&lower, "accept-lower-security", false, "also a version below the machine's security floor, which may be known to be bad")
	waitFlag(command, &wait)
	return command
}
