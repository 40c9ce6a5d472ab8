package command

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

func newUpdateCommand(s *session) *cobra.Command {
	var o updateOptions
	command := &cobra.Command{
		Use:   "update",
		Short: "Bring machines to a new version: stage, apply, and wait until it has proven itself",
		Long: `Bring machines to a new version: stage it into the other slot, restart into it, and wait until its health gates have held and it is committed.
A machine whose new version does not prove itself goes back by itself, and this command says why.

The version comes from the repository that the machine's document names, or, with --bundle, from a file or directory of this computer; the
machine verifies both alike. Interrupting this command leaves the machine consistent: a staging from the repository goes on, a push ends
and is resumed by the next one, and once applied the machine decides by itself.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.update(cmd.Context(), cmd.OutOrStdout(), o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.bundle, "bundle", "", "`FILE` made by stele repo export, or a repository's directory, instead of the machine's repository")
	flags.StringVar(&o.version, "version", "", "version to bring the machines to (default: the newest)")
	flags.BoolVar(&o.stageOnly, "stage-only", false, "stage, and leave the restart to: stele node update apply")
	waitFlag(command, &o.wait)
	flags.StringVar(&o.reason, "reason", "", "for the boot's story")
	flags.BoolVar(&o.confirm, "require-confirmation", false, "the new version also waits for: stele node update commit")
	command.AddCommand(newUpdateCheckCommand(s), newUpdateApplyCommand(s), newUpdateCommitCommand(s), newUpdateCancelCommand(s))
	return command
}

type updateOptions struct {
	bundle, version, reason string
	stageOnly, confirm      bool
	wait                    time.Duration
}

// update stages on all selected machines at once, and restarts those that have staged.
func (s *session) update(ctx context.Context, w io.Writer, o updateOptions) error {
	return s.each(ctx, func(ctx context.Context, c *node.Client) error {
		var r *node.Repository
		if o.bundle != "" {
			var err error
			if r, err = node.OpenRepository(o.bundle); err != nil {
				return err
			}
			defer r.Close()
		}
		p := &show.Progress{Out: w, Node: c.Name}
		version, err := c.Stage(ctx, o.version, r, p.Show)
		if err != nil {
			return c.Interrupted(ctx, err, r != nil)
		}
		p.Say("staged " + version)
		if o.stageOnly {
			p.Say("restart into it with: stele node update apply --node " + c.Name)
			return nil
		}
		return apply(ctx, c, p, version, o)
	})
}

func apply(ctx context.Context, c *node.Client, p *show.Progress, version string, o updateOptions) error {
	before, err := node.Ask(ctx, c.Machine.Status, &nodev1.StatusRequest{})
	if err != nil {
		return err
	}
	if _, err := node.Ask(ctx, c.Updates.Apply, &nodev1.ApplyUpdateRequest{Version: version, Reason: o.reason, RequireConfirmation: o.confirm}); err != nil {
		return err
	}
	if version == "" {
		version = stagedVersion(before)
	}
	p.Say("restarting into " + version)
	return waitCommitted(ctx, c, p, version, before, o.wait)
}

func waitFlag(command *cobra.Command, wait *time.Duration) {
	command.Flags().DurationVar(wait, "wait", 15*time.Minute, "how long to wait for the commit; 0 to return once the restart was asked for")
}

// waitCommitted waits until a machine that restarts has committed the version; before is its status before the restart.
func waitCommitted(ctx context.Context, c *node.Client, p *show.Progress, version string, before *nodev1.StatusResponse, wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, fmt.Errorf("waited %s", wait))
	defer cancel()
	return c.WaitCommitted(ctx, version, bootID(before), func(now node.Waiting) {
		if now.Text != "" {
			p.Say(now.Phase + ": " + now.Text)
		}
	})
}

func bootID(s *nodev1.StatusResponse) string {
	if len(s.GetBoots()) == 0 {
		return ""
	}
	return s.GetBoots()[0].GetId()
}

func stagedVersion(s *nodev1.StatusResponse) string {
	for _, slot := range s.GetSlots() {
		if slot.GetCondition() == "staged" {
			return slot.GetVersion()
		}
	}
	return ""
}
