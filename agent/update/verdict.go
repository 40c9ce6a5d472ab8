package update

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slots"
	"github.com/stele-os/stele/internal/bls"
)

// beatenBefore says why a version is not given its last try to the end: its boot before this one hung or crashed. A second hang would cost
// another watchdog time-out to learn the same. One that just ended may have been a power cut, which is nobody's fault: it gets its second try.
func (m *Manager) beatenBefore(running slots.Slot) string {
	if running.Done < 2 || m.book == nil {
		return ""
	}
	list := m.book.List()
	if len(list) < 2 || list[1].Version != running.Version || list[1].Slot != running.Name {
		return ""
	}
	switch before := list[1]; before.Outcome {
	case state.OutcomeHung, state.OutcomePanicked:
		return "its first try " + ended(before)
	}
	return ""
}

func ended(s state.BootStory) string {
	switch s.Outcome {
	case state.OutcomeHung:
		return "hung: " + s.Reason
	case state.OutcomePanicked:
		return "crashed: " + s.Reason
	}
	return s.Reason
}

// goesBack tells whether the loader starts another version once the running one is rejected.
func goesBack(running, other slots.Slot) bool {
	mine := bls.Name{Prefix: slots.EntryPrefix, Version: running.Version, Counted: true, Done: max(1, running.Done)}
	theirs, err := bls.ParseName(other.Entry)
	if err != nil || other.State == state.SlotDamaged {
		return false
	}
	chosen, found := bls.Choose([]bls.Name{mine, theirs})
	return found && chosen == theirs
}

// commit makes the running version good. It returns false where the disk refused.
func (m *Manager) commit(ctx context.Context) bool {
	release, err := m.soon(ctx, "the commit", m.acquire)
	if err != nil {
		return true // the machine goes down, or the manager ends: the next boot proves it again
	}
	defer release()
	running, _, _ := m.current()
	if err := m.withDisk((*slots.Disk).Commit); err != nil {
		m.logf("version %s held its gates and cannot be committed: %v", running.Version, err)
		m.fail(err)
		return false
	}
	m.drop()
	m.forgive(running.RootHash)
	update, _ := m.o.Machine.Update.Get()
	if m.book != nil {
		if err := m.book.Update(update.Gates, true); err != nil {
			m.logf("%v", err)
		}
	}
	m.publish(func(u *state.Update) { u.Gates, u.Deadline, u.Error = nil, time.Time{}, "" })
	m.publishSlots()
	m.publishBoots()
	m.logf("version %s is committed", running.Version)
	m.holdFloor(ctx)
	return true
}

// giveUp rejects the running version and restarts the machine into the other one.
func (m *Manager) giveUp(ctx context.Context, reason string) {
	release, err := m.soon(ctx, "the way back", m.acquire)
	if err != nil {
		return
	}
	defer release()
	running, other, _ := m.current()
	m.note(state.Rejection{Version: running.Version, RootHash: running.RootHash, Reason: reason, Time: m.o.Now()})
	if err := m.withDisk((*slots.Disk).Reject); err != nil {
		m.logf("%v; its tries bring the machine back", err)
	}
	m.logf("going back to version %s: %s", other.Version, reason)
	m.leave(state.OutcomeRejected, reason, "update: version "+running.Version+" is rejected: "+reason)
}
