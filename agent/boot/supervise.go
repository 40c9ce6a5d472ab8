package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// manager is one part of the agent that runs as long as the machine.
type manager struct {
	name string
	run  func(context.Context) error
}

const (
	backoffFirst = time.Second
	backoffMax   = 30 * time.Second
	// steadyAfter of running, a manager's next failure counts as its first.
	steadyAfter = time.Minute
)

// supervise runs m until ctx is done: one that returns or panics is logged, noted as failing and started again after a growing wait.
func supervise(ctx context.Context, log *slog.Logger, m manager, failing *failures, after func(time.Duration) <-chan time.Time) {
	var wait time.Duration
	for ctx.Err() == nil {
		begun := time.Now()
		err := contain(func() error { return m.run(ctx) })
		if ctx.Err() != nil {
			return
		}
		wait = nextWait(wait, time.Since(begun))
		if err == nil {
			err = errors.New("it returned")
		}
		failing.note(m.name, err)
		log.Error(fmt.Sprintf("%s: %v; starting it again in %s", m.name, err, wait))
		select {
		case <-ctx.Done():
		case <-after(wait):
		}
	}
}

// nextWait is the wait after a manager that ran for a time: doubling, and from the start again when it ran steadily.
func nextWait(last, ran time.Duration) time.Duration {
	if last == 0 || ran >= steadyAfter {
		return backoffFirst
	}
	return min(2*last, backoffMax)
}

// contain turns a panic of f into an error that holds the stack.
func contain(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

// group are supervised managers that end together. start is not called after end.
type group struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (g *group) start(log *slog.Logger, failing *failures, list ...manager) {
	g.ctx, g.cancel = context.WithCancel(context.Background())
	for _, m := range list {
		g.running.Go(func() { supervise(g.ctx, log, m, failing, time.After) })
	}
}

// end cancels the group and waits until all its managers have returned, at most limit. It tells whether they have.
func (g *group) end(limit time.Duration) bool {
	if g.cancel == nil {
		return true
	}
	g.cancel()
	ended := make(chan struct{})
	go func() { g.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return true
	case <-time.After(limit):
		return false
	}
}
