package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

// Node is `stele node`: operate machines through their API.
func Node() *cobra.Command {
	s := &session{}
	command := &cobra.Command{
		Use:   "node",
		Short: "Operate machines through their API",
		Long: `Operate machines through their API.

Which machines, and as whom, comes from the current context (stele context), from --node and --identity, or, where there is only one of each,
from that. A command for several machines asks all of them at once.`,
		PersistentPreRunE: func(*cobra.Command, []string) error { return show.CheckFormat(s.output) },
	}
	flags := command.PersistentFlags()
	flags.StringVar(&s.selection.Context, "context", "", "context to use instead of the current one")
	flags.StringSliceVarP(&s.selection.Nodes, "node", "n", nil, "machines to call instead of the context's")
	flags.StringVar(&s.selection.Identity, "identity", "", "identity to call as instead of the context's")
	flags.StringVarP(&s.output, "output", "o", "table", "table, json or yaml")
	completeNames(command, "context", func(f *contexts.File) []string {
		return names(f.Contexts, func(c contexts.Context) string { return c.Name })
	})
	completeNames(command, "node", nodeNames)
	completeNames(command, "identity", func(f *contexts.File) []string {
		return names(f.Identities, func(i contexts.Identity) string { return i.Name })
	})
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(show.Formats, cobra.ShellCompDirectiveNoFileComp))
	command.AddCommand(newTrustCommand(), newStatusCommand(s), newEventsCommand(s), newLogsCommand(s), newNodeConfigCommand(s), newContainersCommand(s),
		newUpdateCommand(s), newRollbackCommand(s), newRebootCommand(s), newPowerOffCommand(s), newResetCommand(s), newIdentityCommand(s))
	return command
}

// session is what the persistent flags say.
type session struct {
	selection contexts.Selection
	output    string
}

// clients prepares calls of the selected machines.
func (s *session) clients() ([]*node.Client, error) {
	file, err := contexts.Load(contexts.DefaultPath())
	if err != nil {
		return nil, err
	}
	target, err := file.Select(s.selection)
	if err != nil {
		return nil, err
	}
	var all []*node.Client
	for _, n := range target.Nodes {
		c, err := node.New(n, target.Identity)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// several tells whether lines need the machine's name.
func (s *session) several() (bool, error) {
	all, err := s.clients()
	return len(all) > 1, err
}

// one is clients for commands that act on a single machine at a time.
func (s *session) one() (*node.Client, error) {
	all, err := s.clients()
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("this command takes one machine, and %d are selected: name it with --node", len(all))
	}
	return all[0], nil
}

// each calls all selected machines at once. Each machine's error is printed; the last one is returned.
func (s *session) each(ctx context.Context, call func(context.Context, *node.Client) error) error {
	clients, err := s.clients()
	if err != nil {
		return err
	}
	failed := make([]error, len(clients))
	var calls sync.WaitGroup
	for i, c := range clients {
		calls.Go(func() { failed[i] = node.Explain(c.Name, call(ctx, c)); c.Close() })
	}
	calls.Wait()
	var last error
	for _, err := range failed {
		if err == nil {
			continue
		}
		printError(last)
		last = err
	}
	return last
}

// printError prints an error that is not the one that the command returns, as main prints that one.
func printError(err error) {
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "stele: %v\n", err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		fmt.Fprintf(os.Stderr, "hint: %s\n", hinted.Hint())
	}
}
