package containers

import (
	"context"
	"syscall"
	"time"
)

// killTimeout is how long the kernel is given to end a killed container; beyond it something is stuck in the kernel.
const killTimeout = 5 * time.Second

// terminate ends a container: SIGTERM, its grace period (cut short when the machine has no more time), SIGKILL.
func (w *worker) terminate(ctx context.Context, t task, ended <-chan exit) exit {
	ctx = context.WithoutCancel(ctx)
	if e, ok := w.signal(ctx, t, syscall.SIGTERM, ended, w.spec.Container.GracePeriod, w.killed); ok {
		return e
	}
	if e, ok := w.signal(ctx, t, syscall.SIGKILL, ended, killTimeout, nil); ok {
		return e
	}
	return exit{Code: 137}
}

// signal sends a signal and waits for the end, the time, or hurry.
func (w *worker) signal(ctx context.Context, t task, s syscall.Signal, ended <-chan exit, patience time.Duration, hurry <-chan struct{}) (exit, bool) {
	ctx, cancel := context.WithTimeout(ctx, max(patience, time.Second))
	defer cancel()
	_ = t.Kill(ctx, s) // when the runtime is away SIGKILL follows; a container that has ended is in ended
	select {
	case e := <-ended:
		return e, true
	case <-w.m.options.Clock.After(patience):
	case <-hurry:
	}
	return exit{}, false
}
