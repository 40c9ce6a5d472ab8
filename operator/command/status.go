package command

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

func newStatusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how machines are: version, slots, boots and why they ended, health, containers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return s.status(cmd.Context(), cmd.OutOrStdout()) },
	}
}

// status prints one machine in full, several as one line each; a machine that cannot be reached keeps its line.
func (s *session) status(ctx context.Context, out io.Writer) error {
	var lock sync.Mutex
	answered := map[string]*nodev1.StatusResponse{}
	var order []string
	clients, err := s.clients()
	if err != nil {
		return err
	}
	for _, c := range clients {
		order = append(order, c.Name)
	}
	failed := s.each(ctx, func(ctx context.Context, c *node.Client) error {
		answer, err := node.Ask(ctx, c.Machine.Status, &nodev1.StatusRequest{})
		if err == nil {
			lock.Lock()
			defer lock.Unlock()
			answered[c.Name] = answer
		}
		return err
	})
	if len(answered) == 0 {
		return failed
	}
	switch {
	case s.output != "table":
		var all []show.Answer
		for _, name := range order {
			if m := answered[name]; m != nil {
				all = append(all, show.Answer{Node: name, Message: m})
			}
		}
		err = show.Data(out, s.output, all)
	case len(order) == 1:
		err = show.Status(out, order[0], answered[order[0]])
	default:
		err = show.Overview(out, answered, order)
	}
	if err != nil {
		return fmt.Errorf("cannot print: %w", err)
	}
	return failed
}
