package update

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slots"
	"github.com/stele-os/stele/agent/update/story"
)

// start finishes what a power cut left, looks at the slots and finds out how this boot came about.
func (m *Manager) start(ctx context.Context, path string) error {
	release, err := m.soon(ctx, "the start", func(what string) (func(), error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.take(what)
	})
	if err != nil {
		return err
	}
	defer release()
	m.mu.Lock()
	m.path = path
	err = m.records.load()
	m.mu.Unlock()
	if err != nil {
		m.logf("%v", err)
	}
	damage, err := m.repair()
	m.tell() // whatever else happens: the next boot is to know that this one began
	if err != nil {
		return fmt.Errorf("cannot look at the slots: %w", err)
	}
	m.conclude()
	m.holdFloor(ctx)
	m.publishSlots()
	if damage != nil {
		m.logf("nothing can be staged: %v", damage)
		m.fail(damage)
	}
	return ctx.Err()
}

// repair finishes what a power cut left. Damage that is none of a power cut's keeps versions from being staged; one that is there can still prove
// itself, or be left: that takes a name on the ESP, and no cluster.
func (m *Manager) repair() (damage, err error) {
	err = m.withDisk(func(d *slots.Disk) error {
		var done []string
		done, damage = d.Repair()
		for _, what := range done {
			m.logf("repaired: %s", what)
		}
		return nil
	})
	m.mu.Lock()
	m.damage = damage
	m.mu.Unlock()
	return damage, err
}

// tell brings the stories up to date: how the boots before ended, and that this one has begun.
func (m *Manager) tell() {
	book, err := story.Open(m.o.Dir + "/boots")
	m.mu.Lock()
	m.book = book
	m.mu.Unlock()
	conclusion := story.Explain(m.evidence())
	failed := errors.Join(err, book.Add(conclusion.Ended...), book.Begin(conclusion.Present))
	if failed == nil {
		failed = m.o.do.clearCrashes() // their text is in the stories now
	}
	if failed != nil {
		m.logf("%v", failed)
	}
	for _, s := range conclusion.Ended {
		m.logf("boot of version %s: %s%s", s.Version, s.Outcome, because(s.Reason))
	}
	if p := m.records.pending; p != nil && conclusion.Failed != "" {
		m.note(state.Rejection{Version: p.Version, RootHash: p.RootHash, Reason: conclusion.Failed, Time: m.o.Now()})
	}
	m.publishBoots()
}

func (m *Manager) evidence() story.Evidence {
	boot, _ := m.o.Machine.Boot.Get()
	id, err := m.o.do.bootID()
	crashes, crashErr := m.o.do.crashes()
	if err := errors.Join(err, crashErr); err != nil {
		m.logf("%v", err)
	}
	e := story.Evidence{
		Now:     m.o.Now(),
		Present: state.BootStory{ID: id, Image: m.o.Image.Name, Version: boot.Version, Slot: boot.Slot},
		Before:  m.book.List(), Crashes: crashes, WatchdogReset: m.o.do.watchdogReset(),
	}
	if running, _, err := m.current(); err == nil {
		e.Present.Left, e.Present.Done, e.Present.Committed = running.Left, running.Done, !running.Counted()
	}
	for _, s := range m.slots {
		e.Slots = append(e.Slots, s.Slot)
	}
	if p := m.records.pending; p != nil {
		e.Pending = &story.Request{Rollback: p.Rollback, Version: p.Version, Slot: p.Slot, From: p.From, BootID: p.BootID, AskedBy: p.AskedBy,
			Reason: p.Reason, Time: p.Time}
	}
	return e
}

// conclude holds records against the disk, which is right.
func (m *Manager) conclude() {
	running, other, err := m.current()
	if err != nil {
		m.logf("%v", err)
		return
	}
	p := m.records.pending
	if p != nil && p.Rollback && running.RootHash == p.RootHash {
		m.note(state.Rejection{Version: p.From, RootHash: p.FromRootHash, Reason: rolledBack(p.AskedBy, p.Reason), Time: p.Time})
	}
	if other.State == state.SlotRejected {
		m.note(state.Rejection{Version: other.Version, RootHash: other.RootHash, Reason: other.Reason, Time: m.o.Now()})
	}
	if p != nil && !(running.RootHash == p.RootHash && running.Counted()) && !m.askedNow(p) {
		m.drop()
	}
	switch {
	case running.Counted():
		m.logf("version %s in slot %s must prove itself (try %d, %d left)", running.Version, running.Name, max(1, running.Done), running.Left)
	default:
		m.logf("version %s in slot %s runs; slot %s is %s", running.Version, running.Name, other.Name, describe(other))
	}
}

// askedNow tells whether a request was made in this boot, so that its restart is still to come: the manager may be started again meanwhile.
func (m *Manager) askedNow(p *pending) bool {
	id, err := m.o.do.bootID()
	return err == nil && p.BootID == id
}

// note records a rejection once, and says so.
func (m *Manager) note(x state.Rejection) {
	if x.Time.Before(time.Unix(0, 0)) {
		x.Time = time.Unix(0, 0).UTC()
	}
	m.mu.Lock()
	noted, err := m.records.reject(x)
	m.mu.Unlock()
	if noted {
		m.logf("version %s is rejected: %s", x.Version, x.Reason)
	}
	if err != nil {
		m.logf("the rejection of version %s is not kept: %v", x.Version, err)
	}
}

// forgive forgets a rejection.
func (m *Manager) forgive(rootHash string) {
	m.mu.Lock()
	err := m.records.accept(rootHash)
	m.mu.Unlock()
	if err != nil {
		m.logf("%v", err)
	}
}

// drop forgets the pending request, which has come to its end.
func (m *Manager) drop() {
	m.mu.Lock()
	err := m.records.forget()
	m.mu.Unlock()
	if err != nil {
		m.logf("%v", err)
	}
}

func describe(s slots.Slot) string {
	return strings.TrimSpace(string(s.State) + " " + s.Version)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func rolledBack(by, reason string) string {
	text := "rolled back"
	if by != "" {
		text += " by " + by
	}
	if reason != "" {
		text += ": " + reason
	}
	return text
}
