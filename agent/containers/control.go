package containers

import (
	"context"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
)

// Control is how the API and the gates of an update reach the containers while Run runs: hand one to Options. Its methods are for any goroutine;
// while nothing runs they wait for it as long as their context allows.
type Control struct {
	// looks are taken up by the manager's loop, which alone knows the workers.
	looks chan look
}

var _ server.Containers = (*Control)(nil)

// look asks for the worker of a name; nil comes back where there is none.
type look struct {
	name  string
	found chan *worker
}

// NewControl makes a Control.
func NewControl() *Control { return &Control{looks: make(chan look)} }

// Restart ends a container with its grace period and starts it again at once, whatever its restart policy and backoff say. It returns when the
// old one has ended and the new one is on its way. The restart goes on when the caller leaves.
func (c *Control) Restart(ctx context.Context, name string) error {
	w, err := c.worker(ctx, name)
	if err != nil {
		return err
	}
	select {
	case err := <-w.again.ask():
		return err
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "cannot wait for the restart of container %q, which goes on: %w", name, ctx.Err())
	}
}

// Exec runs a command in a running container, with the container's own environment and user, until it ends or ctx does; then it is killed. Of
// what it writes to standard output and error the first maxOutputBytes are returned.
func (c *Control) Exec(ctx context.Context, container string, command []string) (code int, output []byte, err error) {
	w, err := c.worker(ctx, container)
	if err != nil {
		return 0, nil, err
	}
	t := w.running()
	if t == nil {
		return 0, nil, fault.New(fault.Precondition, "cannot run a command in container %q: it does not run", container)
	}
	return t.Output(ctx, command)
}

func (c *Control) worker(ctx context.Context, name string) (*worker, error) {
	l := look{name: name, found: make(chan *worker, 1)}
	select {
	case c.looks <- l:
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "cannot reach container %q: no containers run yet: %w", name, ctx.Err())
	}
	if w := <-l.found; w != nil {
		return w, nil
	}
	return nil, fault.New(fault.NotFound, "cannot find container %q: the document in force has none of that name", name)
}
