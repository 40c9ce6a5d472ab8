package containers

import (
	"context"
	"sync"
	"time"

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

	mu     sync.Mutex // guards what probes change beside the worker
	life   lifecycle
	ready  bool
	pid    int
	unwell string // what a probe says
}

// startWorker starts the worker's goroutine; it ends after stop. It begins once the worker before it, if any, has ended.
func startWorker(ctx context.Context, m *manager, s specification, before *worker) *worker {
	ctx, stop := context.WithCancel(ctx)
	killed, kill := context.WithCancel(context.Background())
	w := &worker{
		m: m, spec: s, hash: s.hash(),
		stop: stop, kill: kill, killed: killed.Done(), done: make(chan struct{}),
		life: newLifecycle(s.Container.RestartPolicy),
	}
	w.publish()
	go func() {
		defer close(w.done)
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

// pause waits until the next start, or for the end where there is none.
func (w *worker) pause(ctx context.Context) {
	w.mu.Lock()
	over, wait := w.life.over(), w.life.nextStart.Sub(w.now())
	w.mu.Unlock()
	if over {
		<-ctx.Done()
		return
	}
	sleep(ctx, w.m.options.Clock, wait)
}

// start makes the image available and starts the container.
func (w *worker) start(ctx context.Context) (task, error) {
	if !w.spec.Container.Baked {
		w.step(state.ContainerPulling)
		if err := w.m.engine.Pull(ctx, w.spec); err != nil {
			return nil, err
		}
	}
	w.step(state.ContainerStarting)
	return w.m.engine.Start(ctx, w.spec, w.hash)
}

// watch asks the probes and waits for the end of the container, whoever brings it about.
func (w *worker) watch(ctx context.Context, t task) {
	w.mu.Lock()
	w.pid, w.ready, w.unwell = t.PID(), w.spec.Container.Readiness == nil, ""
	w.mu.Unlock()
	w.event(func(l lifecycle) lifecycle { return l.started(w.now()) })

	ended := make(chan exit, 1)
	failed := make(chan error, 1)
	probes, stopProbes := context.WithCancel(ctx)
	waiting, stopWaiting := context.WithCancel(context.WithoutCancel(ctx))
	var owned sync.WaitGroup
	owned.Go(func() { w.askReadiness(probes, t) })
	owned.Go(func() { w.askLiveness(probes, t, failed) })
	owned.Go(func() {
		e, err := t.Wait(waiting)
		if err != nil {
			// Its shim is gone, and with it the answer. What may be left of the container is killed when it is removed.
			e.Code = codeUnknown
		}
		if waiting.Err() == nil {
			ended <- e
		}
	})

	var e exit
	var why string
	select {
	case e = <-ended:
		if e.OOM {
			why = "killed: it needed more memory than its limit"
		}
	case err := <-failed:
		why = "liveness probe failed: " + err.Error()
		e = w.terminate(ctx, t, ended)
	case <-ctx.Done():
		e = w.terminate(ctx, t, ended)
	}
	stopProbes()
	stopWaiting()
	owned.Wait()
	w.mu.Lock()
	w.pid, w.ready = 0, false
	w.mu.Unlock()
	w.event(func(l lifecycle) lifecycle {
		if ctx.Err() != nil {
			return l.stopped(e.Code)
		}
		return l.exited(w.now(), e.Code, why)
	})
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
