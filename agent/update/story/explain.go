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
	e.Crashes = unread(e.Crashes, e.Before)
	if len(e.Before) > 0 && e.Before[0].Outcome == state.OutcomeRunning {
		c.Ended = append(c.Ended, e.end())
	}
	if len(e.tries()) > 0 && e.tries()[0].Committed {
		e.Pending = nil // it has come to its end, and only the note of that was lost
	}
	if s, ok := e.neverReached(); ok {
		c.Ended = append(c.Ended, s)
		e.Before = append([]state.BootStory{s}, e.Before...)
	}
	c.Failed = e.failed()
	c.Present.Why, c.Present.AskedBy = e.why()
	return c
}

// unread leaves out the crashes that a story tells already: where the firmware's memory is read only they cannot be deleted.
func unread(crashes []system.Crash, before []state.BootStory) []system.Crash {
	return slices.DeleteFunc(slices.Clone(crashes), func(c system.Crash) bool {
		text := tail(c.Text, maxPanicBytes)
		return slices.ContainsFunc(before, func(s state.BootStory) bool { return s.Panic == text })
	})
}

// end gives the newest story its end. Of several unread crashes the oldest is its own: those after it never reached the agent.
func (e *Evidence) end() state.BootStory {
	s := e.Before[0]
	switch n := len(e.Crashes); {
	case n > 0:
		crash := e.Crashes[n-1]
		e.Crashes = e.Crashes[:n-1]
		s.Outcome, s.Reason = crashOutcome(crash.Text)
		s.Panic, s.Ended = crash.Text, crash.Time
	case e.WatchdogReset:
		e.WatchdogReset = false
		s.Outcome, s.Reason = state.OutcomeHung, byWatchdog
	default:
		s.Outcome, s.Reason = state.OutcomeLost, "it ended without a word: a power cut or a reset"
	}
	s = bounded(s)
	e.Before = append([]state.BootStory{s}, e.Before[1:]...)
	return s
}

// tries are the boots of the pending version since it was asked for that have a story, the newest first.
func (e *Evidence) tries() []state.BootStory {
	var list []state.BootStory
	for _, s := range e.Before {
		if e.Pending == nil || s.ID == e.Pending.BootID {
			break
		}
		if s.Slot == e.Pending.Slot && s.Version == e.Pending.Version {
			list = append(list, s)
		}
	}
	return list
}

// failed says why the pending version does not run although it was started, from its newest story.
func (e *Evidence) failed() string {
	tries := e.tries()
	if len(tries) == 0 || e.Present.Slot == e.Pending.Slot {
		return ""
	}
	return cmp.Or(tries[0].Reason, string(tries[0].Outcome))
}

// why says how the present boot came about, and who asked for it.
func (e *Evidence) why() (why, askedBy string) {
	if p := e.Pending; p != nil && e.Present.Slot == p.Slot {
		if e.Present.Done > 1 {
			return fmt.Sprintf("%s, try %d", asked(*p), e.Present.Done), p.AskedBy
		}
		return asked(*p), p.AskedBy
	}
	if reason := e.failed(); reason != "" {
		return fmt.Sprintf("back from %s: %s", e.Pending.Version, reason), ""
	}
	if len(e.Before) == 0 {
		return "first boot", ""
	}
	switch last := e.Before[0]; last.Outcome {
	case state.OutcomeRestarted:
		return "restart", ""
	case state.OutcomePoweredOff:
		return "power on", ""
	case state.OutcomeRejected, state.OutcomeRolledBack:
		if last.Slot == e.Present.Slot {
			return fmt.Sprintf("%s was given up, and runs again", last.Version), ""
		}
		return fmt.Sprintf("back from %s: %s", last.Version, last.Reason), ""
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
