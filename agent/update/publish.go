package update

import (
	"cmp"
	"slices"

	"github.com/stele-os/stele/agent/state"
)

// publish changes the published value.
func (m *Manager) publish(change func(*state.Update)) {
	m.o.Machine.Update.Update(func(u state.Update) state.Update {
		change(&u)
		return u
	})
}

// publishSlots publishes what the slots hold, with the reasons that records know better than the disk.
func (m *Manager) publishSlots() {
	m.mu.Lock()
	var list []state.Slot
	committed := true
	for _, s := range m.slots {
		if s.Name == "" {
			continue
		}
		out := s.Slot
		if out.Running {
			committed = !s.Counted()
		}
		if out.State == state.SlotRejected {
			out.Reason = cmp.Or(m.reasonOf(out.RootHash), out.Reason)
		}
		list = append(list, out)
	}
	rejected := slices.Clone(m.records.rejections)
	m.mu.Unlock()
	m.publish(func(u *state.Update) { u.Slots, u.Committed, u.Rejected = list, committed, rejected })
}

// reasonOf a rejection; m.mu is held.
func (m *Manager) reasonOf(rootHash string) string {
	for _, r := range m.records.rejections {
		if r.RootHash == rootHash {
			return r.Reason
		}
	}
	return ""
}

// rest publishes what the manager does when the action under way has changed.
func (m *Manager) rest() {
	m.mu.Lock()
	activity := state.ActivityIdle
	switch {
	case m.down:
		activity = state.ActivityGoingDown
	case m.staging != nil:
		activity = state.ActivityStaging
	case m.proving:
		activity = state.ActivityProbation
	}
	m.mu.Unlock()
	m.publish(func(u *state.Update) { u.Activity = activity })
}

// fail publishes the error of the last activity; nil clears it.
func (m *Manager) fail(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	m.publish(func(u *state.Update) { u.Error = text })
}

func (m *Manager) publishBoots() {
	if m.book != nil {
		m.o.Machine.Boots.Set(m.book.List())
	}
}

// endStory tells how this boot ends.
func (m *Manager) endStory(outcome state.Outcome, reason string) {
	m.mu.Lock()
	book := m.book
	m.mu.Unlock()
	if book == nil {
		return
	}
	if err := book.End(outcome, reason); err != nil {
		m.logf("%v", err)
	}
	m.publishBoots()
}
