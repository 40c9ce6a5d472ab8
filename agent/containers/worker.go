package containers

import (
	"context"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
)

// worker leads one container through its life, from its start until stop.
type worker struct {
	m    *manager
	spec specification
	hash string

	stop, kill context.CancelFunc
	killed     <-chan struct{}
	done       chan struct{}
	again      *again

	mu     sync.Mutex // guards what probes change beside the worker
	life   lifecycle
	ready  bool
	pid    int
	task   task   // nil while none runs
	unwell string // what a probe says
}

// startWorker starts the worker's goroutine; it ends after stop. It begins once the worker before it, if any, has ended.
func startWorker(ctx context.Context, m *manager, s specification, before *worker) *worker {
	ctx, stop := context.WithCancel(ctx)
	killed, kill := context.WithCancel(context.Background())
	w := &worker{
		m: m, spec: s, hash: s.hash(),
		stop: stop, kill: kill, killed: killed.Done(), done: make(chan struct{}), again: newAgain(),
		life: newLifecycle(s.Container.RestartPolicy),
	}
	w.publish()
	go func() {
		defer close(w.done)
		defer w.again.close(fault.New(fault.Aborted, "cannot restart container %q: it was changed or removed meanwhile", s.Container.Name))
		defer kill()
		defer stop()
		if before != nil {
			<-before.done
		}
		w.run(ctx)
	}()
	return w
}

// run: adopt or start, watch, wait, again.
func (w *worker) run(ctx context.Context) {
	t, err := w.m.engine.Adopt(ctx, w.spec, w.hash)
	if err != nil {
		t = nil
	}
	for ctx.Err() == nil {
		if t == nil {
			t, err = w.start(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil && t == nil:
			w.event(func(l lifecycle) lifecycle { return l.failed(w.now(), err) })
		default:
			w.watch(ctx, t)
		}
		t, err = nil, nil
		w.remove(ctx)
		w.pause(ctx)
		if ctx.Err() == nil {
			w.again.answer(nil)
		}
	}
	w.remove(ctx)
}

// remove takes away what is left of the container: mounts, shim, cgroup. It also happens when the worker was told to stop.
func (w *worker) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := w.m.engine.Remove(ctx, w.spec.Container.Name); err != nil {
		w.m.options.Logf("cannot remove container %q: %v", w.spec.Container.Name, err)
	}
}

const removeTimeout = 10 * time.Second

// codeUnknown is the exit code of a container nobody saw ending: as good as killed.
const codeUnknown = 137

// start makes the image available and starts the container.
func (w *worker) start(ctx context.Context) (task, error) {
	if !w.spec.Container.Baked {
		w.step(state.ContainerPulling)
		if err := w.m.engine.Pull(ctx, w.spec); err != nil {
			return nil, err
		}
	}
	w.step(state.ContainerStarting)
	t, err := w.m.engine.Start(ctx, w.spec, w.hash)
	if err == nil {
		w.again.answer(nil) // whoever asked while it started has what they want
	}
	return t, err
}

func (w *worker) now() time.Time { return w.m.options.Clock.Now() }

func (w *worker) step(phase state.ContainerPhase) {
	w.event(func(l lifecycle) lifecycle { return l.step(phase) })
}

func (w *worker) event(f func(lifecycle) lifecycle) {
	w.mu.Lock()
	w.life = f(w.life)
	w.mu.Unlock()
	w.publish()
}

func (w *worker) publish() {
	w.mu.Lock()
	l := w.life
	c := state.Container{
		Name: w.spec.Container.Name, Image: w.spec.Container.Image,
		Phase: l.phase, Ready: w.ready && l.phase == state.ContainerRunning, PID: w.pid,
		Restarts: l.restarts, ExitCode: l.exitCode, Reason: l.reason,
		StartedAt: l.startedAt, NextStart: l.nextStart,
	}
	if l.phase == state.ContainerRunning {
		c.Reason = w.unwell
	}
	w.mu.Unlock()
	w.m.publish(c.Name, c)
}
