package update

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// Run brings the manager up, proves the running version where that is still to be done, and looks for new versions where the document asks
// for it, until ctx ends. It may be started again after a failure. All goroutines of the manager end before it returns.
func (m *Manager) Run(ctx context.Context) error {
	l := &life{}
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithCancel(ctx)
	defer l.owned.Wait()
	defer cancel()
	defer m.settle(nil)
	l.owned.Go(func() { m.guard(func() error { return m.lastResort(l.ctx) }) })
	m.rest()
	path, err := m.waitForDisk(l.ctx)
	if err != nil {
		return err
	}
	if path == "" {
		m.publish(func(u *state.Update) { u.Committed, u.Activity = true, state.ActivityIdle })
	} else if err := m.begun(m.start(l.ctx, path)); err != nil {
		return err
	}
	m.settle(l)
	l.owned.Go(func() { m.guard(func() error { return m.watchShutdown(l.ctx) }) })
	if path != "" {
		m.prove(l.ctx)
	}
	return m.lookAround(l.ctx)
}

// begun notes how a start went.
func (m *Manager) begun(err error) error {
	m.mu.Lock()
	m.trouble = err
	m.mu.Unlock()
	if err != nil {
		m.fail(err)
	}
	return err
}

// settle says from when on and until when actions may begin.
func (m *Manager) settle(l *life) {
	m.mu.Lock()
	m.life = l
	m.mu.Unlock()
}

// guard keeps the panic of a goroutine from ending PID 1.
func (m *Manager) guard(f func() error) {
	if err := contain(f); err != nil {
		m.logf("%v", err)
	}
}

// waitForDisk returns when /var is mounted and the boot disk is known.
func (m *Manager) waitForDisk(ctx context.Context) (string, error) {
	storage, err := m.o.Machine.Storage.Wait(ctx, nil)
	if err != nil {
		return "", err
	}
	if storage.VarDevice == "" {
		m.logf("/var is in memory: who asked for an update, rejections and boot stories are not kept over a restart")
	}
	return m.o.Disk(ctx)
}

// watchShutdown tells the story's end when the machine goes down for another reason than ours: the first word counts.
func (m *Manager) watchShutdown(ctx context.Context) error {
	down, err := m.o.Machine.Shutdown.Wait(ctx, nil)
	if err != nil {
		return nil
	}
	outcome := state.OutcomeRestarted
	if down.PowerOff {
		outcome = state.OutcomePoweredOff
	}
	m.mu.Lock()
	m.down = true
	m.mu.Unlock()
	m.rest()
	m.endStory(outcome, down.Reason)
	return nil
}

// lookAround asks the repository from time to time, where the document wants that. What it finds, or why it could not, is only published.
func (m *Manager) lookAround(ctx context.Context) error {
	for {
		desired, _, changed := m.o.Machine.Desired.Watch()
		interval := desired.Update.CheckInterval
		var timer <-chan time.Time
		if interval > 0 && desired.Update.Repository != "" {
			timer = time.After(jittered(interval, rand.Float64()))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			continue
		case <-timer:
		}
		if network, _ := m.o.Machine.Network.Get(); network.Online {
			_, _ = m.Check(ctx) // published
		}
	}
}

// jittered spreads machines that started at the same time over a fifth of the interval.
func jittered(interval time.Duration, random float64) time.Duration {
	return interval + time.Duration(float64(interval)*0.2*(random-0.5))
}
