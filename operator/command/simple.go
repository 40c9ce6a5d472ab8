package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

// simple is a command without arguments that calls every selected machine.
func (s *session) simple(use, short string, call func(context.Context, *node.Client, io.Writer) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return s.each(cmd.Context(), func(ctx context.Context, c *node.Client) error { return call(ctx, c, cmd.OutOrStdout()) })
	}}
}

func said(w io.Writer, c *node.Client, text string) error {
	_, err := fmt.Fprintf(w, "%s: %s\n", c.Name, show.Clean(text))
	return err
}

func newContainersCommand(s *session) *cobra.Command {
	command := s.simple("containers", "List a machine's containers, or restart one", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Containers.List, &nodev1.ListContainersRequest{})
		if err != nil {
			return err
		}
		if s.output != "table" {
			return show.Data(w, s.output, []show.Answer{{Node: c.Name, Message: answer}})
		}
		return show.Containers(w, answer.Containers)
	})
	command.AddCommand(&cobra.Command{Use: "restart NAME", Short: "End a container, within its grace period, and start it again", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.each(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				if _, err := node.Ask(ctx, c.Containers.Restart, &nodev1.RestartContainerRequest{Name: args[0]}); err != nil {
					return err
				}
				return said(cmd.OutOrStdout(), c, "container "+args[0]+" is being restarted")
			})
		}})
	return command
}

func newRebootCommand(s *session) *cobra.Command {
	var reason string
	command := s.simple("reboot", "Restart machines", func(ctx context.Context, c *node.Client, w io.Writer) error {
		if _, err := node.Ask(ctx, c.Power.Reboot, &nodev1.RebootRequest{Reason: reason}); err != nil {
			return err
		}
		return said(w, c, "restarting")
	})
	command.Flags().StringVar(&reason, "reason", "", "for the boot's story")
	return command
}

func newPowerOffCommand(s *session) *cobra.Command {
	var reason string
	command := s.simple("poweroff", "Switch machines off", func(ctx context.Context, c *node.Client, w io.Writer) error {
		if _, err := node.Ask(ctx, c.Power.PowerOff, &nodev1.PowerOffRequest{Reason: reason}); err != nil {
			return err
		}
		return said(w, c, "switching off")
	})
	command.Flags().StringVar(&reason, "reason", "", "for the boot's story")
	return command
}

func newResetCommand(s *session) *cobra.Command {
	var confirmed string
	command := &cobra.Command{
		Use:   "reset",
		Short: "Restart a machine with an empty /var: volumes, logs, its key and its documents are gone",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if confirmed == "" {
				return hint.New(errors.New("a reset loses everything under /var"), "say that it is meant with --confirm HOSTNAME")
			}
			return s.withOne(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				if _, err := node.Ask(ctx, c.Reset.Reset, &nodev1.ResetRequest{ConfirmHostname: confirmed}); err != nil {
					return err
				}
				return said(cmd.OutOrStdout(), c, "restarting with an empty /var; its key will be another one: stele node trust "+c.Name+" HOST:PORT")
			})
		},
	}
	command.Flags().StringVar(&confirmed, "confirm", "", "the machine's `HOSTNAME`")
	return command
}
