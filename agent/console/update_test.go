package console

import (
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/golden"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// updated is a machine that has gone from 1.0.0 in slot a to 1.1.0 in slot b and is on probation.
func updated(containers ...state.Container) snapshot {
	s := applied(containers...)
	s.Facts.Image.Version, s.Boot.Slot, s.Now = "1.1.0", "b", noon
	s.Update = &state.Update{
		Slots: []state.Slot{
			{Name: "a", Version: "1.0.0", State: state.SlotCommitted},
			{Name: "b", Version: "1.1.0", State: state.SlotTrying, Running: true, Left: 1, Done: 1},
		},
		Activity: state.ActivityProbation, Deadline: noon.Add(240 * time.Second),
		Gates: []state.Gate{{Name: "settled", State: "held"}, {Name: "container web", State: "waiting", Reason: "container web is not ready"}},
	}
	s.API = state.API{Port: 7835, Fingerprint: "SHA256:mVnOhKXW4aSLk6LTsPXzr3Y+PSvcQ6h4GpK8zO5C0lU"}
	s.Boots = []state.BootStory{
		{ID: "4", Version: "1.1.0", Slot: "b", Outcome: state.OutcomeRunning, Why: "update from 1.0.0", AskedBy: "CN=alice"},
		{ID: "3", Version: "1.0.0", Slot: "a", Outcome: state.OutcomeRestarted, Reason: "update to 1.1.0", Started: noon.Add(-time.Hour), Ended: noon},
		{ID: "2", Version: "1.1.0", Slot: "b", Outcome: state.OutcomeRejected, Reason: "container web is not ready", AskedBy: "CN=alice",
			Started: noon, Ended: noon.Add(42 * time.Second)},
		{ID: "1", Version: "1.1.0-rc1", Slot: "b", Outcome: state.OutcomeNoAgent, Started: noon, Ended: noon.Add(time.Second),
			Reason: "the agent never ran in 2 tries: the kernel panicked: dm-verity device corrupted", Panic: "secret of the kernel"},
		{ID: "0", Version: "0.9.0", Outcome: state.OutcomeLost},
	}
	return s
}

// change copies what tests change, since what was published is never modified.
func change(s snapshot, f func(*state.Update)) snapshot {
	u := *s.Update
	u.Slots = append([]state.Slot(nil), u.Slots...)
	u.Gates = append([]state.Gate(nil), u.Gates...)
	f(&u)
	s.Update = &u
	return s
}

// leftAlone is a machine on 1.0.0 after 1.1.0 was rejected.
func leftAlone(containers ...state.Container) snapshot {
	return change(updated(containers...), func(u *state.Update) {
		u.Slots = []state.Slot{
			{Name: "a", Version: "1.0.0", State: state.SlotCommitted, Running: true},
			{Name: "b", Version: "1.1.0", RootHash: "ff", State: state.SlotRejected, Done: 2, Reason: "its tries are used up"},
		}
		u.Committed, u.Activity, u.Gates = true, state.ActivityIdle, nil
		u.Rejected = []state.Rejection{{Version: "1.1.0", RootHash: "ff", Reason: "container web is not ready"}}
	})
}

func TestUpdateLines(t *testing.T) {
	sick := with(state.ContainerBackoff, "exited with code 1", 1)
	tests := []struct {
		name string
		s    snapshot
	}{
		{"on probation", updated(ready("web"))},
		{"committed", change(updated(ready("web")), func(u *state.Update) {
			u.Committed, u.Gates, u.Slots[1].State, u.Slots[1].Left, u.Slots[1].Done = true, nil, state.SlotCommitted, 0, 0
		})},
		{"the other version was rejected", leftAlone(ready("web"))},
		{"both are bad", leftAlone(sick)},
		{"the other slot is damaged", change(leftAlone(sick), func(u *state.Update) {
			u.Slots[1] = state.Slot{Name: "b", State: state.SlotDamaged, Reason: "its boot entry is missing"}
		})},
		{"the other slot is damaged, too, and this one is well", change(leftAlone(ready("web")), func(u *state.Update) { u.Slots[1].State = state.SlotDamaged })},
		{"both are bad, and this one by a gate", change(leftAlone(ready("web")), func(u *state.Update) {
			u.Committed, u.Slots[0].State, u.Slots[0].Done = false, state.SlotTrying, 2
			u.Gates = []state.Gate{{Name: "http shop", State: "waiting", Reason: "check shop failed: \"http://127.0.0.1/\" answers 500"}}
		})},
		{"sick, and nothing was ever in the other slot", change(leftAlone(sick), func(u *state.Update) {
			u.Slots[1] = state.Slot{Name: "b", State: state.SlotEmpty}
		})},
		{"no slots", snapshot{Update: &state.Update{}}},
	}
	var all strings.Builder
	for _, tt := range tests {
		all.WriteString(tt.name + ":\n")
		for _, line := range updateLines(tt.s) {
			all.WriteString("  " + line + "\n")
		}
	}
	golden.Compare(t, "testdata/update.txt", all.String())
}

func TestUpdateChanges(t *testing.T) {
	c := New(fixedClock)
	w := NewWatcher(c, func(int) Memory { return Memory{} })
	s := updated(ready("web"))
	look := func(f func(*state.Update)) {
		s = change(s, f)
		w.step(s, time.Second)
	}
	gate := func(condition, reason string) func(*state.Update) {
		return func(u *state.Update) { u.Gates[1].State, u.Gates[1].Reason = condition, reason }
	}
	w.step(s, time.Second)
	look(gate("waiting", "check shop failed: port 4711: connection reset"))
	look(gate("waiting", "check shop failed: port 4712: connection reset")) // nothing new
	look(gate("held", ""))
	look(func(u *state.Update) {
		u.Committed, u.Gates, u.Activity = true, nil, state.ActivityIdle
		u.Slots[1].State, u.Slots[1].Left, u.Slots[1].Done = state.SlotCommitted, 0, 0
	})
	look(func(u *state.Update) { u.Activity = state.ActivityChecking })
	look(func(u *state.Update) { u.Activity, u.Available = state.ActivityIdle, "1.2.0" })
	for done := int64(0); done <= 100; done++ {
		look(func(u *state.Update) {
			u.Activity, u.Slots[0].State = state.ActivityStaging, state.SlotWriting
			u.Progress = state.Progress{Version: "1.2.0", Phase: "writing", Done: done << 20, Total: 100 << 20}
		})
	}
	look(func(u *state.Update) {
		u.Activity, u.Error = state.ActivityIdle, "cannot read \"https://updates.example.com/\": timeout"
	})
	look(func(u *state.Update) {
		u.Error, u.Slots[0] = "", state.Slot{Name: "a", Version: "1.2.0", State: state.SlotStaged}
	})
	look(func(u *state.Update) { u.Activity = state.ActivityGoingDown })
	golden.Compare(t, "testdata/update-changes.txt", drain(c))
}

// Both versions are bad: the machine says so, once, and not before the running one is in trouble.
func TestNoGoodVersionIsSaidOnce(t *testing.T) {
	c := New(fixedClock)
	w := NewWatcher(c, func(int) Memory { return Memory{} })
	sick := leftAlone(with(state.ContainerBackoff, "exited with code 1", 1))
	for _, s := range []snapshot{leftAlone(with(state.ContainerStarting, "", 0)), sick, sick, sick} {
		w.step(s, time.Second)
	}
	got := drain(c)
	const want = "error: no good version is left: 1.1.0 was rejected (container web is not ready), 1.0.0 is not healthy (container db: exited with code 1); trying on"
	if strings.Count(got, want) != 1 {
		t.Errorf("got:\n%s", got)
	}
}
