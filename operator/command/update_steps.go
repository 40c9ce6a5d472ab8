package command

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

func newUpdateCheckCommand(s *session) *cobra.Command {
	return s.simple("check", "Ask the machines' repositories for a newer version", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Updates.Check, &nodev1.CheckUpdateRequest{})
		if err != nil {
			return err
		}
		switch {
		case s.output != "table":
			return show.Data(w, s.output, []show.Answer{{Node: c.Name, Message: answer}})
		case answer.Available == "":
			return said(w, c, fmt.Sprintf("runs %s, nothing newer (%s)", answer.Running, answer.Reason))
		}
		return said(w, c, fmt.Sprintf("runs %s, available %s, %.1f MiB", answer.Running, answer.Available, float64(answer.Bytes)/(1<<20)))
	})
}

func newUpdateApplyCommand(s *session) *cobra.Command {
	var o updateOptions
	command := s.simple("apply", "Restart machines into the staged version, and wait until it has proven itself", func(ctx context.Context, c *node.Client, w io.Writer) error {
		return apply(ctx, c, &show.Progress{Out: w, Node: c.Name}, o.version, o)
	})
	flags := command.Flags()
	flags.StringVar(&o.version, "version", "", "apply only if this version is staged")
	flags.StringVar(&o.reason, "reason", "", "for the boot's story")
	flags.BoolVar(&o.confirm, "require-confirmation", false, "the new version also waits for: stele node update commit")
	waitFlag(command, &o.wait)
	return command
}

func newUpdateCommitCommand(s *session) *cobra.Command {
	var version string
	command := s.simple("commit", "Give the word that a version on probation waits for", func(ctx context.Context, c *node.Client, w io.Writer) error {
		if _, err := node.Ask(ctx, c.Updates.Commit, &nodev1.CommitUpdateRequest{Version: version}); err != nil {
			return err
		}
		return said(w, c, "confirmed; it is committed once its other gates have held")
	})
	command.Flags().StringVar(&version, "version", "", "only if this version is running")
	return command
}

func newUpdateCancelCommand(s *session) *cobra.Command {
	return s.simple("cancel", "End a staging; the next one uses what it has written", func(ctx context.Context, c *node.Client, w io.Writer) error {
		if _, err := node.Ask(ctx, c.Updates.Cancel, &nodev1.CancelUpdateRequest{}); err != nil {
			return err
		}
		return said(w, c, "no staging is running")
	})
}
