package update

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/gates"
	"github.com/stele-os/stele/agent/update/slots"
)

const (
	// retryCommit is the wait after a commit that the disk refused.
	retryCommit = 5 * time.Second
	// remindEvery is how often a machine that cannot go back says so.
	remindEvery = 5 * time.Minute
)

// prove lets a version that has not proven itself do so, and returns when there is nothing left to prove, or when ctx ends.
func (m *Manager) prove(ctx context.Context) {
	running, other, err := m.current()
	if err != nil || !running.Counted() {
		return
	}
	m.setProving(true)
	defer m.setProving(false)
	endless := !goesBack(running, other)
	if endless {
		m.logf("slot %s (%s) would not start: there is no version to go back to; %s is tried until its gates hold", other.Name, describe(other),
			running.Version)
	} else if reason := m.beatenBefore(running); reason != "" {
		m.giveUp(ctx, reason)
		return
	}
	for ctx.Err() == nil {
		verdict, err := m.ask(ctx, running, endless)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			m.logf("%v", err)
			sleep(ctx, retryCommit)
		case verdict.Decision == gates.Reject:
			m.giveUp(ctx, verdict.Reason)
			return
		case m.commit(ctx):
			return
		default:
			sleep(ctx, retryCommit)
		}
	}
}

func (m *Manager) setProving(proving bool) {
	m.mu.Lock()
	m.proving = proving
	m.mu.Unlock()
	m.rest()
}

// missing says which gates do not hold.
func (m *Manager) missing() string {
	update, _ := m.o.Machine.Update.Get()
	var list []string
	for _, g := range update.Gates {
		if g.State != gates.Held {
			list = append(list, g.Name+": "+g.Reason)
		}
	}
	return strings.Join(list, "; ")
}

// ask runs the gates until there is a verdict.
func (m *Manager) ask(ctx context.Context, running slots.Slot, endless bool) (gates.Verdict, error) {
	o := gates.Options{
		Machine: m.o.Machine, Started: m.o.Now().Add(-m.o.SinceStart()), HasDisk: true, Endless: endless,
		Confirmation: &m.confirmed, Failures: m.o.Failures, Exec: m.o.Exec, Publish: m.publishGates,
	}
	if p := m.records.pending; p != nil && p.RootHash == running.RootHash {
		o.RequireConfirmation = p.RequireConfirmation
		o.Before = gates.Terms{Probation: p.Probation, Deadline: p.Deadline}
	}
	if endless {
		defer m.remind(ctx, running)()
	}
	return m.o.do.prove(ctx, o)
}

// remind says from time to time what keeps a version that there is no way back from, until stop is called. The gates run on meanwhile: a probation may
// be longer than the time between two words.
func (m *Manager) remind(ctx context.Context, running slots.Slot) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var reminding sync.WaitGroup
	reminding.Go(func() {
		for sleep(ctx, remindEvery); ctx.Err() == nil; sleep(ctx, remindEvery) {
			m.logf("version %s still does not hold its gates, and there is none to go back to: %s", running.Version, m.missing())
		}
	})
	return func() { cancel(); reminding.Wait() }
}

func (m *Manager) publishGates(list []state.Gate, deadline time.Time) {
	list = slices.Clone(list)
	m.publish(func(u *state.Update) { u.Gates, u.Deadline = list, deadline })
	if m.book == nil {
		return
	}
	if err := m.book.Update(list, false); err != nil {
		m.logf("%v", err)
	}
	m.publishBoots()
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
