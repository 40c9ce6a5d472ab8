package story

import (
	"fmt"
	"slices"

	"github.com/stele-os/stele/agent/state"
)

// neverReached makes up the story of the boots that ended before the agent could begin one: tries of the pending version that the loader has counted
// and nobody has told of, or a crash that nobody has told of.
func (e *Evidence) neverReached() (state.BootStory, bool) {
	s := state.BootStory{Image: e.Present.Image, Version: e.Present.Version, Slot: e.Present.Slot, Outcome: state.OutcomeNoAgent}
	cause := e.cause(&s)
	switch missing := e.missing(); {
	case missing > 0:
		s.Reason = fmt.Sprintf("the agent never ran in %s: %s", count(missing), cause)
	case e.ignored():
		s.Reason = "the loader did not start it: its boot entry is missing or cannot be read"
	case len(e.Crashes) == 0:
		return s, false
	default:
		s.ID, s.Reason = "before-"+e.Present.ID, "between the boot before and this one "+cause
		return bounded(s), true
	}
	p, slot := *e.Pending, e.slot(e.Pending.Slot)
	s.ID = fmt.Sprintf("%s-%d-after-%s", p.Version, e.ended(), p.BootID) // the same for the same evidence
	s.Version, s.Slot, s.Left, s.Done = p.Version, p.Slot, slot.Left+slot.Done-e.ended(), e.ended()
	s.AskedBy, s.Why, s.Started = p.AskedBy, asked(p), p.Time
	return bounded(s), true
}

// cause gives a story the newest crash and says in words what it was.
func (e *Evidence) cause(s *state.BootStory) string {
	switch {
	case len(e.Crashes) > 0:
		newest := e.Crashes[0]
		_, reason := crashOutcome(newest.Text)
		s.Panic, s.Ended = newest.Text, newest.Time
		return reason
	case e.WatchdogReset:
		return byWatchdog
	case e.Pending != nil && e.slot(e.Pending.Slot).State == state.SlotDamaged:
		return e.slot(e.Pending.Slot).Reason
	}
	return "no panic text is there: a hang, a reset, or firmware that keeps none"
}

// missing counts the tries of the pending version that have no story.
func (e *Evidence) missing() int {
	if e.Pending == nil {
		return 0
	}
	told := 0
	for _, s := range slices.Backward(e.tries()) {
		told++
		if s.Outcome == state.OutcomeNoAgent {
			told = s.Done // one story for all tries up to then
		}
	}
	return e.ended() - told
}

// ended is how many tries of the pending version are over. The present boot's is not.
func (e *Evidence) ended() int {
	done := e.slot(e.Pending.Slot).Done
	if e.Present.Slot == e.Pending.Slot {
		return done - 1
	}
	return done
}

// ignored: the loader was to start the pending version and has not even tried. A version that is still staged was never armed; and a rollback takes
// hold only when the version that it leaves is given up.
func (e *Evidence) ignored() bool {
	if e.Pending == nil || e.Present.Slot == e.Pending.Slot || len(e.tries()) > 0 {
		return false
	}
	wanted, running := e.slot(e.Pending.Slot), e.slot(e.Present.Slot)
	if wanted.State == state.SlotStaged || e.Pending.Rollback && running.State == state.SlotCommitted {
		return false
	}
	return wanted.Done == 0
}

func (e *Evidence) slot(name string) state.Slot {
	at := slices.IndexFunc(e.Slots, func(s state.Slot) bool { return s.Name == name })
	if at < 0 {
		return state.Slot{}
	}
	return e.Slots[at]
}

func count(tries int) string {
	if tries == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", tries)
}
