package containers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// manager owns the workers and the published state of containers.
type manager struct {
	machine *state.Machine
	options Options
	engine  engine
	workers map[string]*worker // of run only

	mu     sync.Mutex
	status map[string]state.Container
	order  []string // wanted names, sorted
	// ending are workers that were stopped and may still be about it: a container keeps its grace period when it leaves the document.
	ending map[string]*worker
}

func newManager(m *state.Machine, o Options, e engine) *manager {
	return &manager{machine: m, options: o, engine: e, workers: map[string]*worker{}, status: map[string]state.Container{}, ending: map[string]*worker{}}
}

// run follows the desired state until the context ends, then stops everything.
func (m *manager) run(ctx context.Context) error {
	// Workers end by stop, not by ctx: a container is ended in order.
	lives, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var janitor sync.WaitGroup
	janitor.Go(func() { m.clean(ctx) })
	defer janitor.Wait()
	for {
		desired, ok, changed := m.machine.Desired.Watch()
		if ok {
			m.apply(lives, desired)
		}
		if !m.serve(ctx, changed) {
			m.stopAll()
			return ctx.Err()
		}
	}
}

// serve answers who looks for a worker until the desired state changes (true) or the context ends (false).
func (m *manager) serve(ctx context.Context, changed <-chan struct{}) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-changed:
			return true
		case l := <-m.options.Control.looks:
			l.found <- m.workers[l.name]
		}
	}
}

// apply makes workers match the desired state.
func (m *manager) apply(ctx context.Context, desired plan.Desired) {
	want := specify(desired)
	have := map[string]specification{}
	for name, w := range m.workers {
		have[name] = w.spec
	}
	c := diff(want, have)
	m.mu.Lock()
	m.order = slices.Sorted(maps.Keys(want))
	m.mu.Unlock()
	for _, name := range c.Stop {
		m.workers[name].stop()
		m.setEnding(name, m.workers[name])
		delete(m.workers, name)
	}
	for _, name := range c.Replace {
		old := m.workers[name]
		old.stop()
		m.workers[name] = startWorker(ctx, m, want[name], old)
	}
	for _, name := range c.Start {
		m.workers[name] = startWorker(ctx, m, want[name], m.setEnding(name, nil))
	}
	m.publish("", state.Container{})
}

// stopAll stops all workers at the same time, and kills what is left when the time is nearly over.
func (m *manager) stopAll() {
	deadline := m.options.Clock.After(max(m.options.ShutdownTimeout-3*time.Second, 0))
	all := m.allWorkers()
	for _, w := range all {
		w.stop()
	}
	for _, w := range all {
		select {
		case <-w.done:
			continue
		case <-deadline:
		}
		for _, w := range all {
			w.kill()
		}
		break
	}
	last := m.options.Clock.After(3 * time.Second)
	for _, w := range all {
		select {
		case <-w.done:
		case <-last:
			return
		}
	}
}

// allWorkers are the present ones and those that are still ending.
func (m *manager) allWorkers() []*worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.AppendSeq(slices.Collect(maps.Values(m.workers)), maps.Values(m.ending))
}

// setEnding notes the worker that is ending under a name (nil: none) and returns the one noted before.
func (m *manager) setEnding(name string, w *worker) *worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.ending[name]
	if delete(m.ending, name); w != nil {
		m.ending[name] = w
	}
	return before
}

// orphan tells whether nobody cares for a container of that name: no document wants it, and no worker is about to end it.
func (m *manager) orphan(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.order, name) {
		return false
	}
	w := m.ending[name]
	if w == nil {
		return true
	}
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// publish stores one container's status (none for an empty name) and publishes all of them in the order of names.
func (m *manager) publish(name string, c state.Container) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if name != "" {
		m.status[name] = c
	}
	all := make([]state.Container, 0, len(m.order))
	for _, name := range m.order {
		if c, ok := m.status[name]; ok {
			all = append(all, c)
		}
	}
	m.machine.Containers.Set(all)
}
