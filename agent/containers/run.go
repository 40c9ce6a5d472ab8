package containers

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stele-os/stele/agent/containerd"
	"github.com/stele-os/stele/agent/state"
)

// Run keeps containerd and the desired containers running until the context ends. Then it stops all containers (SIGTERM, grace period, SIGKILL, in
// parallel, within Options.ShutdownTimeout) and containerd, and returns.
func Run(ctx context.Context, m *state.Machine, o Options) error {
	o = o.withDefaults()
	if o.engine != nil {
		return newManager(m, o, o.engine).run(ctx)
	}
	if o.Start == nil {
		return errors.New("cannot run containers: no way to start processes was given")
	}
	sockets, err := containerd.Listen(o.Containerd)
	if err != nil {
		return fmt.Errorf("cannot run containers: %w", err)
	}
	defer sockets.Close()

	e, err := newContainerdEngine(m, o)
	if err != nil {
		return fmt.Errorf("cannot run containers: %w", err)
	}
	defer e.close()

	// containerd outlives ctx: the containers are stopped by way of it.
	copyEtc(o)
	daemon, stop := context.WithCancel(context.WithoutCancel(ctx))
	var owned sync.WaitGroup
	owned.Go(func() { supervise(daemon, m, o, sockets, e.ready) })
	owned.Go(func() { followEtc(daemon, m, o) })
	owned.Go(func() { prefetch(o.Containerd.Runc) })
	defer func() { stop(); owned.Wait() }()
	return newManager(m, o, e).run(ctx)
}
