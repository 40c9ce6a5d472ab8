package story

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/internal/golden"
)

const (
	verityPanic = "[    1.150492] device-mapper: verity: 254:2: data block 0 is corrupted\n" +
		"[    1.151566] Kernel panic - not syncing: dm-verity device corrupted\n[    1.152000] Call Trace:\n"
	noRootPanic = "[    1.100000] Kernel panic - not syncing: VFS: Unable to mount root fs on \"/dev/dm-0\" or unknown-block(0,0)\n"
	goPanic     = "[    3.400000] [U] panic: runtime error: index out of range [3] with length 3\n" +
		"[    3.400100] [U] goroutine 1 [running]:\n" +
		"[    3.410000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000200\n"
	initExits    = "[    1.900000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n"
	softdogPanic = "[   99.000000] Kernel panic - not syncing: Software Watchdog Timer expired\n"
)

func crash(second int, text string) system.Crash {
	return system.Crash{Time: noon.Add(time.Duration(second) * time.Second), Text: text}
}

// The boots of a machine that was asked, in boot "one", to go from 1.0.0 in slot a to 1.1.0 in slot b.
func old(id string, outcome state.Outcome) state.BootStory {
	return state.BootStory{ID: id, Image: "demo", Version: "1.0.0", Slot: "a", Committed: true, Outcome: outcome}
}

func updated(id string, outcome state.Outcome, reason string) state.BootStory {
	return state.BootStory{ID: id, Image: "demo", Version: "1.1.0", Slot: "b", AskedBy: "CN=alice", Why: "update from 1.0.0", Outcome: outcome, Reason: reason}
}

func try(done int) state.BootStory {
	return state.BootStory{ID: "now", Image: "demo", Version: "1.1.0", Slot: "b", Left: 2 - done, Done: done}
}

func slots(a, b state.Slot) []state.Slot {
	a.Name, a.Version, b.Name, b.Version = "a", "1.0.0", "b", "1.1.0"
	a.State = cmp.Or(a.State, state.SlotCommitted)
	return []state.Slot{a, b}
}

func counted(condition state.SlotCondition, left, done int) []state.Slot {
	return slots(state.Slot{}, state.Slot{State: condition, Left: left, Done: done})
}

func TestExplain(t *testing.T) {
	update := &Request{Version: "1.1.0", Slot: "b", From: "1.0.0", BootID: "one", AskedBy: "CN=alice", Time: noon}
	rollback := &Request{Rollback: true, Version: "1.0.0", Slot: "a", From: "1.1.0", BootID: "one", AskedBy: "CN=bob", Time: noon}
	before, now := old("one", state.OutcomeRestarted), old("now", "")
	running := old("one", state.OutcomeRunning)
	committed := updated("two", state.OutcomeRunning, "")
	committed.Committed = true
	left := committed
	left.ID, left.Outcome, left.Reason = "one", state.OutcomeRolledBack, "asked to"
	tests := []struct {
		name string
		e    Evidence
	}{
		{"first boot", Evidence{Present: now}},
		{"restart", Evidence{Present: now, Before: stories(before)}},
		{"power on", Evidence{Present: now, Before: stories(old("one", state.OutcomePoweredOff))}},
		{"power cut", Evidence{Present: now, Before: stories(running)}},
		{"kernel panic", Evidence{Present: now, Before: stories(running), Crashes: crashes(crash(1, noRootPanic))}},
		{"agent crashed", Evidence{Present: now, Before: stories(running), Crashes: crashes(crash(1, goPanic))}},
		{"agent hung, hardware watchdog", Evidence{Present: now, Before: stories(running), WatchdogReset: true}},
		{"agent hung, kernel's watchdog", Evidence{Present: now, Before: stories(running), Crashes: crashes(crash(1, softdogPanic))}},
		{"a crash that a story tells already", Evidence{Present: now, Before: stories(before, told("older", verityPanic)), Crashes: crashes(crash(1, verityPanic))}},
		{"a crash, and one before the agent", Evidence{Present: now, Before: stories(running), Crashes: crashes(crash(9, verityPanic), crash(1, goPanic))}},
		{"a crash before the agent, nothing asked for", Evidence{Present: now, Before: stories(before), Crashes: crashes(crash(1, verityPanic))}},
		{"the manager was started again", Evidence{Present: try(1), Before: stories(updated("now", state.OutcomeRunning, "")), Pending: update, Slots: counted(state.SlotTrying, 1, 1)}},

		{"update: first try", Evidence{Present: try(1), Before: stories(before), Pending: update, Slots: counted(state.SlotTrying, 1, 1)}},
		{"update: kernel panics in the new version", Evidence{Present: now, Before: stories(before), Pending: update,
			Slots: counted(state.SlotRejected, 0, 2), Crashes: crashes(crash(30, noRootPanic), crash(15, noRootPanic))}},
		{"update: init crashes before its story", Evidence{Present: now, Before: stories(before), Pending: update,
			Slots: counted(state.SlotRejected, 0, 2), Crashes: crashes(crash(30, initExits))}},
		{"update: init crashed once, second try", Evidence{Present: try(2),
			Before: stories(updated("two", state.OutcomeRunning, ""), before), Pending: update, Slots: counted(state.SlotTrying, 0, 2),
			Crashes: crashes(crash(15, goPanic))}},
		{"update: init crashed twice", Evidence{Present: now,
			Before:  stories(updated("three", state.OutcomeRunning, ""), updated("two", state.OutcomePanicked, "the agent crashed"), before),
			Pending: update, Slots: counted(state.SlotRejected, 0, 2), Crashes: crashes(crash(15, goPanic))}},
		{"update: agent hung", Evidence{Present: try(2), Before: stories(updated("two", state.OutcomeRunning, ""), before),
			Pending: update, Slots: counted(state.SlotTrying, 0, 2), WatchdogReset: true}},
		{"update: hung before the agent", Evidence{Present: try(2), Before: stories(before),
			Pending: update, Slots: counted(state.SlotTrying, 0, 2), WatchdogReset: true}},
		{"update: required container unhealthy", Evidence{Present: now,
			Before:  stories(updated("two", state.OutcomeRejected, "container web is not ready"), before),
			Pending: update, Slots: counted(state.SlotRejected, 0, 1)}},
		{"update: no network", Evidence{Present: now,
			Before:  stories(updated("two", state.OutcomeRejected, "the network is not up: no address yet"), before),
			Pending: update, Slots: counted(state.SlotRejected, 0, 1)}},
		{"update: corrupt root or verity tree", Evidence{Present: now, Before: stories(before), Pending: update,
			Slots: counted(state.SlotRejected, 0, 2), Crashes: crashes(crash(30, verityPanic), crash(15, verityPanic))}},
		{"update: corrupt root, full NVRAM", Evidence{Present: now, Before: stories(before), Pending: update, Slots: counted(state.SlotRejected, 0, 2)}},
		{"update: truncated UKI that the loader does not list", Evidence{Present: now, Before: stories(before), Pending: update,
			Slots: counted(state.SlotTrying, 2, 0)}},
		{"update: boot entry gone", Evidence{Present: now, Before: stories(before), Pending: update, Slots: slots(state.Slot{}, state.Slot{State: state.SlotEmpty})}},
		{"update: power cut while staging", Evidence{Present: now, Before: stories(running), Slots: counted(state.SlotWriting, 0, 0)}},
		{"update: power cut before it was armed", Evidence{Present: now, Before: stories(running), Pending: update, Slots: counted(state.SlotStaged, 0, 0)}},
		{"update: power cut on probation", Evidence{Present: try(2), Before: stories(updated("two", state.OutcomeRunning, ""), before),
			Pending: update, Slots: counted(state.SlotTrying, 0, 2)}},
		{"update: power cut right after commit", Evidence{Present: try(0), Before: stories(committed, before),
			Pending: update, Slots: counted(state.SlotCommitted, 0, 0)}},

		{"rollback", Evidence{Present: now, Before: stories(left), Pending: rollback,
			Slots: slots(state.Slot{State: state.SlotTrying, Left: 1, Done: 1}, state.Slot{State: state.SlotRejected, Done: 1})}},
		{"rollback: power cut before it took hold", Evidence{Present: try(0), Before: stories(left), Pending: rollback,
			Slots: slots(state.Slot{State: state.SlotTrying, Left: 2}, state.Slot{State: state.SlotCommitted})}},
		{"a rejected version that the loader starts again", Evidence{Present: try(1), Before: stories(updated("two", state.OutcomeRejected, "no network"))}},
		{"rollback: the old version panics", Evidence{Present: try(1), Before: stories(left), Pending: rollback, Crashes: crashes(crash(30, verityPanic)),
			Slots: slots(state.Slot{State: state.SlotRejected, Done: 2}, state.Slot{State: state.SlotTrying, Done: 1})}},
	}
	var all strings.Builder
	for _, tt := range tests {
		tt.e.Now = noon
		fmt.Fprintf(&all, "%s:\n", tt.name)
		c := Explain(tt.e)
		for _, s := range c.Ended {
			fmt.Fprintf(&all, "  ended    %s\n", sentence(s))
		}
		fmt.Fprintf(&all, "  present  %s\n", sentence(c.Present))
		if c.Failed != "" {
			fmt.Fprintf(&all, "  failed   %s\n", c.Failed)
		}
		again := tt.e
		again.Before = append(reversed(c.Ended), tt.e.Before...) // the power went before the present boot's story began
		if len(c.Ended) > 0 && c.Ended[0].ID == tt.e.Before[0].ID {
			again.Before = append(reversed(c.Ended), tt.e.Before[1:]...)
		}
		again.Present.ID = "later"
		again.Crashes, again.WatchdogReset = tt.e.Crashes, false // deleting them did not work
		if n := len(Explain(again).Ended); n > 0 && tt.name != "the manager was started again" {
			t.Errorf("%s: told a second time: %+v", tt.name, Explain(again).Ended)
		}
	}
	golden.Compare(t, "testdata/explain.txt", all.String())
}

func stories(list ...state.BootStory) []state.BootStory { return list }

func crashes(list ...system.Crash) []system.Crash { return list }

func told(id, text string) state.BootStory {
	s := old(id, state.OutcomePanicked)
	s.Panic = text
	return s
}

func reversed(list []state.BootStory) []state.BootStory {
	var result []state.BootStory
	for _, s := range list {
		result = append([]state.BootStory{s}, result...)
	}
	return result
}

func sentence(s state.BootStory) string {
	line := fmt.Sprintf("%s: %s in slot %s", s.ID, s.Version, s.Slot)
	if s.Left+s.Done > 0 {
		line += fmt.Sprintf(" (left %d, done %d)", s.Left, s.Done)
	}
	for _, part := range []struct{ word, text string }{
		{"outcome", string(s.Outcome)}, {"reason", s.Reason}, {"why", s.Why}, {"asked by", s.AskedBy}, {"panic", strings.TrimSpace(s.Panic)},
	} {
		if part.text != "" {
			line += fmt.Sprintf("\n             %s: %s", part.word, strings.ReplaceAll(part.text, "\n", "\n                    "))
		}
	}
	return line
}

func TestExplainChangesNoInput(t *testing.T) {
	evidence := func() Evidence {
		return Evidence{Present: old("now", ""), Before: stories(old("one", state.OutcomeRunning)), Crashes: crashes(crash(9, verityPanic), crash(1, goPanic))}
	}
	e := evidence()
	Explain(e)
	if !reflect.DeepEqual(e, evidence()) {
		t.Errorf("%+v", e)
	}
}
