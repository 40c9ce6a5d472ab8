package containers

import (
	"context"
	"sync"
	"time"
)

// watch asks the probes and waits for the end of the container, whoever brings it about.
func (w *worker) watch(ctx context.Context, t task) {
	w.mu.Lock()
	w.pid, w.task, w.ready, w.unwell = t.PID(), t, w.spec.Container.Readiness == nil, ""
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

	e, why, asked := w.await(ctx, t, ended, failed)
	stopProbes()
	stopWaiting()
	owned.Wait()
	w.mu.Lock()
	w.pid, w.task, w.ready = 0, nil, false
	w.mu.Unlock()
	w.event(func(l lifecycle) lifecycle {
		if ctx.Err() != nil {
			return l.stopped(e.Code)
		}
		if asked {
			return l.restarted(w.now(), e.Code)
		}
		return l.exited(w.now(), e.Code, why)
	})
}

// await returns when the container has ended: by itself, because a probe failed, because somebody asked for a restart, or because nobody wants it
// any more.
func (w *worker) await(ctx context.Context, t task, ended <-chan exit, failed <-chan error) (e exit, why string, asked bool) {
	select {
	case e = <-ended:
		if e.OOM {
			why = "killed: it needed more memory than its limit"
		}
	case err := <-failed:
		why = "liveness probe failed: " + err.Error()
		e = w.terminate(ctx, t, ended)
	case <-w.again.asked:
		asked = true
		e = w.terminate(ctx, t, ended)
	case <-ctx.Done():
		e = w.terminate(ctx, t, ended)
	}
	return e, why, asked
}

// pause waits until the next start, or for the end where there is none. Who asks for a restart ends it.
func (w *worker) pause(ctx context.Context) {
	w.mu.Lock()
	over, wait := w.life.over(), w.life.nextStart.Sub(w.now())
	w.mu.Unlock()
	var next <-chan time.Time
	if !over {
		if wait <= 0 {
			return
		}
		next = w.m.options.Clock.After(wait)
	}
	select {
	case <-ctx.Done():
	case <-next:
	case <-w.again.asked:
		w.event(func(l lifecycle) lifecycle { return l.restarted(w.now(), l.exitCode) })
	}
}

// running returns the task while the container runs, else nil.
func (w *worker) running() task {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.task
}
