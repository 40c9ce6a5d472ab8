package command

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

func newEventsCommand(s *session) *cobra.Command {
	var last uint32
	command := &cobra.Command{
		Use:   "events",
		Short: "Follow what happens on machines",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := lines{w: cmd.OutOrStdout()}
			return s.each(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				stream, err := c.Machine.WatchEvents(ctx, connect.NewRequest(&nodev1.WatchEventsRequest{Last: last}))
				if err != nil {
					return err
				}
				defer stream.Close()
				for stream.Receive() {
					e := stream.Msg()
					out.print(func(w io.Writer) error {
						if s.output != "table" {
							return show.Line(w, e)
						}
						if e.Lost > 0 {
							fmt.Fprintf(w, "%s  %d events were lost\n", c.Name, e.Lost)
						}
						_, err := fmt.Fprintf(w, "%s  %s  %s\n", e.Time.AsTime().UTC().Format(show.Clock), c.Name, show.Event(e))
						return err
					})
				}
				return ended(ctx, stream.Err())
			})
		},
	}
	command.Flags().Uint32Var(&last, "last", 20, "how many past events to begin with")
	return command
}

func newLogsCommand(s *session) *cobra.Command {
	r := &nodev1.LogReadRequest{}
	var since time.Duration
	var timestamps bool
	command := &cobra.Command{
		Use:       "logs kernel|agent|audit|CONTAINER",
		Short:     "Read the kernel's, the agent's, a container's or the audit log",
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"kernel", "agent", "audit"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "kernel":
				r.Source = nodev1.LogReadRequest_SOURCE_KERNEL
			case "agent":
				r.Source = nodev1.LogReadRequest_SOURCE_AGENT
			case "audit":
				r.Source = nodev1.LogReadRequest_SOURCE_AUDIT
			default:
				r.Source, r.Container = nodev1.LogReadRequest_SOURCE_CONTAINER, args[0]
			}
			if since > 0 {
				r.Since = timestamppb.New(time.Now().Add(-since))
			}
			return s.logs(cmd.Context(), cmd.OutOrStdout(), r, timestamps)
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&r.Follow, "follow", "f", false, "go on until interrupted")
	flags.BoolVarP(&timestamps, "timestamps", "t", false, "begin each line with its time")
	flags.Uint32Var(&r.TailLines, "tail", 0, "only the last lines; 0 for all that is kept")
	flags.DurationVar(&since, "since", 0, "only what is younger, such as 10m")
	return command
}

func (s *session) logs(ctx context.Context, w io.Writer, r *nodev1.LogReadRequest, timestamps bool) error {
	out := lines{w: w}
	several, err := s.several()
	if err != nil {
		return err
	}
	return s.each(ctx, func(ctx context.Context, c *node.Client) error {
		stream, err := c.Logs.Read(ctx, connect.NewRequest(r))
		if err != nil {
			return err
		}
		defer stream.Close()
		line := show.LogLine{Timestamps: timestamps}
		if several {
			line.Node = c.Name
		}
		for stream.Receive() {
			entry := stream.Msg()
			out.print(func(w io.Writer) error {
				if s.output != "table" {
					return show.Line(w, entry)
				}
				_, err := io.WriteString(w, line.Add(entry))
				return err
			})
		}
		return ended(ctx, stream.Err())
	})
}

// ended tells a person's Ctrl-C from a failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// lines is a writer for several streams.
type lines struct {
	lock sync.Mutex
	w    io.Writer
}

func (l *lines) print(f func(io.Writer) error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	_ = f(l.w)
}
