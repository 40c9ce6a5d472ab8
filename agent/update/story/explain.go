package story

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
)

// Request is an apply or a rollback that was asked for and has not come to its end: the version has neither committed nor been given up.
type Request struct {
	// Rollback, else apply.
	Rollback bool
	// Version is to be started from Slot; From is what ran when it was asked for, in the boot BootID.
	Version, Slot, From, BootID string
	AskedBy, Reason             string
	Time                        time.Time
}

// Evidence is what a machine finds at the start of a boot.
type Evidence struct {
	Now time.Time
	// Present is the boot that has begun: ID, Image, Version, Slot, Left, Done, Committed as far as known.
	Present state.BootStory
	// Before are the stories of the boots before it, the newest first (Book.List).
	Before []state.BootStory
	// Pending is nil where nothing was asked for.
	Pending *Request
	// Slots as found on the disk, with the counters the loader left.
	Slots []state.Slot
	// Crashes are the kernel's last words, the newest first (system.ReadCrashes).
	Crashes []system.Crash
	// WatchdogReset: a watchdog says that it ended the boot before (system.WatchdogReset).
	WatchdogReset bool
}

// Conclusion is what follows from Evidence.
type Conclusion struct {
	// Ended are stories to be kept by Book.Add before Begin, the oldest first: the newest one with its end, and made-up ones of boots that never
	// reached the agent. Nothing: the boot before ended as its story says.
	Ended []state.BootStory
	// Present, with Why and AskedBy.
	Present state.BootStory
	// Failed says why the version that was asked for does not run; empty: it runs, was not started yet, or nothing was asked for.
	Failed string
}

// Explain says how the boots before the present one ended. Called again in the same boot it finds nothing new.
func Explain(e Evidence) Conclusion {
	c := Conclusion{Present: e.Present}
	if len(e.Before) > 0 && e.Before[0].ID == e.Present.ID {
		c.Present = e.Before[0]
		return c
	}
	crashes := unread(e.Crashes, e.Before)
	history := e.Before
	if len(history) > 0 && history[0].Outcome == state.OutcomeRunning {
		ended := end(history[0], e, &crashes)
		c.Ended = append(c.Ended, ended)
		history = append([]state.BootStory{ended}, history[1:]...)
	}
	if s, ok := neverReached(e, history, &crashes); ok {
		c.Ended = append(c.Ended, s)
		history = append([]state.BootStory{s}, history...)
	}
	c.Failed = failed(e, history)
	c.Present.Why, c.Present.AskedBy = why(e, history)
	return c
}

// unread leaves out the crashes that a story tells already: where the firmware's memory is read only they cannot be deleted.
func unread(crashes []system.Crash, before []state.BootStory) []system.Crash {
	var list []system.Crash
	for _, c := range crashes {
		text := tail(c.Text, maxPanicBytes)
		if !slices.ContainsFunc(before, func(s state.BootStory) bool { return s.Panic == text }) {
			list = append(list, c)
		}
	}
	return list
}

// end gives a story without one its end. Where several crashes are unread, the oldest is this boot's: those after it never reached the agent.
func end(s state.BootStory, e Evidence, crashes *[]system.Crash) state.BootStory {
	switch n := len(*crashes); {
	case n > 0:
		crash := (*crashes)[n-1]
		*crashes = (*crashes)[:n-1]
		s.Outcome, s.Reason = crashOutcome(crash.Text)
		s.Panic, s.Ended = crash.Text, crash.Time
	case e.WatchdogReset:
		s.Outcome, s.Reason = state.OutcomeHung, "the watchdog restarted the machine"
	default:
		s.Outcome, s.Reason = state.OutcomeLost, "it ended without a word: a power cut or a reset"
	}
	return bounded(s)
}

// neverReached makes up the story of boots that used up tries of the pending version, or that panicked, without reaching the agent.
func neverReached(e Evidence, history []state.BootStory, crashes *[]system.Crash) (state.BootStory, bool) {
	s := state.BootStory{Image: e.Present.Image, Version: e.Present.Version, Slot: e.Present.Slot, Outcome: state.OutcomeNoAgent}
	cause := "there is no panic text: a hang, a reset, or firmware that keeps none"
	if len(*crashes) > 0 {
		newest := (*crashes)[0]
		_, cause = crashOutcome(newest.Text)
		s.Panic, s.Ended = newest.Text, newest.Time
	}
	if e.Pending == nil {
		if len(*crashes) == 0 {
			return s, false
		}
		s.ID = madeUpID(e, 0)
		s.Reason = "the agent never ran: " + cause
		*crashes = nil
		return bounded(s), true
	}
	slot, done := pendingSlot(e)
	missing := done - reached(e, history)
	if e.Present.Slot == e.Pending.Slot {
		missing-- // the present boot's try
	}
	notListed := slot.State != state.SlotStaged && done == 0 && e.Present.Slot != e.Pending.Slot && reached(e, history) == 0
	if missing <= 0 && !notListed {
		return s, false
	}
	s.ID = madeUpID(e, done)
	s.Version, s.Slot, s.Left, s.Done = e.Pending.Version, e.Pending.Slot, slot.Left, done
	s.AskedBy, s.Why = e.Pending.AskedBy, asked(*e.Pending)
	s.Started = e.Pending.Time
	s.Reason = fmt.Sprintf("the agent never ran in %s: %s", tries(missing), cause)
	if notListed {
		s.Reason = "the loader did not start it: its boot entry is missing or cannot be read"
	}
	*crashes = nil
	return bounded(s), true
}

// pendingSlot is the slot that was asked for, and how many boots the loader has counted for it.
func pendingSlot(e Evidence) (state.Slot, int) {
	at := slices.IndexFunc(e.Slots, func(s state.Slot) bool { return s.Name == e.Pending.Slot })
	if at < 0 {
		return state.Slot{}, 0
	}
	return e.Slots[at], e.Slots[at].Done
}

// reached counts the boots of the pending request that have a story.
func reached(e Evidence, history []state.BootStory) int {
	n := 0
	for _, s := range history {
		if s.ID == e.Pending.BootID {
			break
		}
		if s.Slot == e.Pending.Slot && s.Version == e.Pending.Version {
			n++
		}
	}
	return n
}

// failed says why the pending version does not run although it was started, from its newest story.
func failed(e Evidence, history []state.BootStory) string {
	if e.Pending == nil || e.Present.Slot == e.Pending.Slot {
		return ""
	}
	for _, s := range history {
		if s.ID == e.Pending.BootID {
			return ""
		}
		if s.Slot == e.Pending.Slot && s.Version == e.Pending.Version {
			return cmp.Or(s.Reason, string(s.Outcome))
		}
	}
	return ""
}

// why says how the present boot came about, and who asked for it.
func why(e Evidence, history []state.BootStory) (why, askedBy string) {
	if p := e.Pending; p != nil && e.Present.Slot == p.Slot {
		return asked(*p), p.AskedBy
	}
	if reason := failed(e, history); reason != "" {
		return fmt.Sprintf("back from %s: %s", e.Pending.Version, reason), ""
	}
	if len(history) == 0 {
		return "first boot", ""
	}
	switch history[0].Outcome {
	case state.OutcomeRestarted:
		return "restart", ""
	case state.OutcomePoweredOff:
		return "power on", ""
	case state.OutcomeRejected, state.OutcomeRolledBack:
		return fmt.Sprintf("back from %s: %s", history[0].Version, history[0].Reason), ""
	case state.OutcomePanicked, state.OutcomeNoAgent:
		return "kernel panic", ""
	case state.OutcomeHung:
		return "watchdog", ""
	}
	return "power cut or reset", ""
}

func asked(r Request) string {
	if r.Rollback {
		return "rollback from " + r.From
	}
	return "update from " + r.From
}

// madeUpID names a boot that had no kernel boot id of its own, the same one for the same evidence.
func madeUpID(e Evidence, done int) string {
	if e.Pending == nil {
		return "before-" + e.Present.ID
	}
	return fmt.Sprintf("%s-%d-after-%s", e.Pending.Version, done, e.Pending.BootID)
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}
