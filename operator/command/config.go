package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

func newNodeConfigCommand(s *session) *cobra.Command {
	command := &cobra.Command{Use: "config", Short: "Read and change a machine's document"}
	command.AddCommand(newConfigGetCommand(s), newNodeConfigCheckCommand(s), newConfigApplyCommand(s), newConfigConfirmCommand(s), newConfigRevertCommand(s))
	return command
}

func newConfigGetCommand(s *session) *cobra.Command {
	var effective bool
	command := &cobra.Command{
		Use:   "get",
		Short: "Print the document in force; values of environment variables only for admins",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.withOne(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				answer, err := node.Ask(ctx, c.Config.Get, &nodev1.GetConfigRequest{})
				if err != nil {
					return err
				}
				if s.output != "table" {
					return show.Data(cmd.OutOrStdout(), s.output, []show.Answer{{Node: c.Name, Message: answer}})
				}
				text := answer.Document
				if effective {
					text = answer.Effective
				}
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			})
		},
	}
	command.Flags().BoolVar(&effective, "effective", false, "with the image's and the platform's part merged in")
	return command
}

func newNodeConfigCheckCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Ask machines whether they would take a document, and what it would change",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := readDocument(args[0])
			if err != nil {
				return err
			}
			return s.each(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				answer, err := node.Ask(ctx, c.Config.Check, &nodev1.CheckConfigRequest{Document: document})
				if err != nil {
					return err
				}
				for _, problem := range answer.Errors {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s: %s\n", c.Name, args[0], show.Clean(problem))
				}
				if len(answer.Errors) > 0 {
					return fmt.Errorf("it would refuse %s", args[0])
				}
				return printChanges(cmd.OutOrStdout(), c.Name, answer.Changes)
			})
		},
	}
}

func newConfigApplyCommand(s *session) *cobra.Command {
	r := &nodev1.ApplyConfigRequest{}
	var tryFor time.Duration
	command := &cobra.Command{
		Use:   "apply FILE",
		Short: "Put a document in force; with --try it is taken back unless confirmed in time",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.Document, err = readDocument(args[0]); err != nil {
				return err
			}
			if tryFor > 0 {
				r.TryFor = durationpb.New(tryFor)
			}
			return s.each(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				answer, err := node.Ask(ctx, c.Config.Apply, r)
				if err != nil {
					return err
				}
				if err := printChanges(cmd.OutOrStdout(), c.Name, answer.Changes); err != nil {
					return err
				}
				return said(cmd.OutOrStdout(), c, outcome(c.Name, r.DryRun, answer))
			})
		},
	}
	flags := command.Flags()
	flags.BoolVar(&r.DryRun, "dry-run", false, "only say what would change")
	flags.DurationVar(&tryFor, "try", 0, "take the document back by itself after this time, such as 2m, unless it is confirmed")
	flags.StringVar(&r.IfDigest, "if-digest", "", "apply only if this document is in force (sha256:...)")
	return command
}

// outcome says what holds after the call.
func outcome(name string, dryRun bool, answer *nodev1.ApplyConfigResponse) string {
	switch {
	case dryRun:
		return "a dry run: nothing was changed"
	case answer.RevertAt != nil:
		return fmt.Sprintf("in force on trial, taken back at %s unless confirmed: stele node config confirm --node %s", answer.RevertAt.AsTime().UTC().Format("15:04:05Z"), name)
	}
	return "in force"
}

// readDocument reads what a call can carry.
func readDocument(file string) (string, error) {
	text, err := os.ReadFile(file)
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read document: %w", err)
	case !utf8.Valid(text):
		return "", hint.New(fmt.Errorf("cannot read document %q: it is no text in UTF-8", file), "stele config check "+file+" shows what a document may hold")
	}
	return string(text), nil
}

func newConfigConfirmCommand(s *session) *cobra.Command {
	return s.simple("confirm", "Keep a document that is on trial", func(ctx context.Context, c *node.Client, w io.Writer) error {
		if _, err := node.Ask(ctx, c.Config.Confirm, &nodev1.ConfirmConfigRequest{}); err != nil {
			return err
		}
		return said(w, c, "the document stays")
	})
}

func newConfigRevertCommand(s *session) *cobra.Command {
	r := &nodev1.RevertConfigRequest{}
	command := s.simple("revert", "Take back a document that is on trial, or every document of the API", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Config.Revert, r)
		if err != nil {
			return err
		}
		return said(w, c, "in force: "+answer.Digest)
	})
	command.Flags().BoolVar(&r.ToMetadata, "to-metadata", false, "go back to the document that the platform's metadata gives")
	return command
}

func printChanges(w io.Writer, name string, changes []string) error {
	if len(changes) == 0 {
		changes = []string{"nothing changes"}
	}
	for _, change := range changes {
		if _, err := fmt.Fprintf(w, "%s: %s\n", name, show.Clean(change)); err != nil {
			return err
		}
	}
	return nil
}

// withOne calls the one selected machine.
func (s *session) withOne(ctx context.Context, call func(context.Context, *node.Client) error) error {
	c, err := s.one()
	if err != nil {
		return err
	}
	defer c.Close()
	return node.Explain(c.Name, call(ctx, c))
}
