package gates

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// Decision is what follows from the gates.
type Decision string

// The decisions.
const (
	Wait   Decision = "wait"
	Commit Decision = "commit"
	Reject Decision = "reject"
)

// Verdict is a decision and, for Reject, the reason: "container web is in backoff: exit code 1, 4 restarts".
type Verdict struct {
	Decision Decision
	Reason   string
	// Next is when to look again although nothing changed; only for Wait. Zero: not before something changes.
	Next time.Time
	// Deadline of the probation; zero: none.
	Deadline time.Time
}

// Terms of a probation. The document in force may change them on the way.
type Terms struct {
	// Probation is how long all gates must hold without a break, Deadline how long after the start a version may take.
	Probation, Deadline time.Duration
	// Endless: there is no version to go back to. The gates are awaited without a deadline, and nothing is final.
	Endless bool
}

// Probation is the way of one version from its start to a verdict. It is a value: Observe returns the next one.
type Probation struct {
	started time.Time
	holding bool
	since   time.Time // of the hold
}

// NewProbation begins when the kernel has started.
func NewProbation(started time.Time) Probation { return Probation{started: started} }

// Observe takes the gates as they are at now. A hold counts from the observation at which all gates held, or from the youngest gate where that
// changed unseen; whoever calls must observe every change of a gate.
func (p Probation) Observe(now time.Time, gates []state.Gate, t Terms) (Probation, Verdict) {
	p = p.hold(now, gates)
	full := p.since.Add(t.Probation)
	proven := p.holding && !now.Before(full)
	missing := reasons(gates, func(g state.Gate) bool { return g.State != Held })
	var deadline time.Time
	if !t.Endless {
		deadline = p.started.Add(t.Deadline)
	}
	if proven && missing == "" {
		return p, Verdict{Decision: Commit, Deadline: deadline}
	}
	next := deadline
	if p.holding && !proven && (t.Endless || full.Before(deadline)) {
		next = full
	}
	if t.Endless {
		return p, Verdict{Decision: Wait, Next: next}
	}
	reject := func(reason string) (Probation, Verdict) {
		return p, Verdict{Decision: Reject, Reason: reason, Deadline: deadline}
	}
	if broken := reasons(gates, func(g state.Gate) bool { return g.State == Failed }); broken != "" {
		return reject(broken)
	}
	switch {
	case now.Before(deadline):
		return p, Verdict{Decision: Wait, Next: next, Deadline: deadline}
	case missing != "":
		return reject(missing)
	}
	return reject(fmt.Sprintf("its gates held for %s only, not for %s", rounded(now.Sub(p.since)), t.Probation))
}

// hold follows how long all gates but confirmation have held.
func (p Probation) hold(now time.Time, gates []state.Gate) Probation {
	held := !slices.ContainsFunc(gates, func(g state.Gate) bool { return g.Name != Confirmation && g.State != Held })
	switch {
	case !held || len(gates) == 0:
		p.holding = false
		return p
	case !p.holding:
		p.holding, p.since = true, now
	}
	for _, g := range gates {
		if g.Name != Confirmation && g.Since.After(p.since) {
			p.since = g.Since
		}
	}
	return p
}

// reasons joins those of the gates that are chosen.
func reasons(gates []state.Gate, chosen func(state.Gate) bool) string {
	var list []string
	for _, g := range gates {
		if chosen(g) {
			list = append(list, g.Reason)
		}
	}
	return strings.Join(list, "; ")
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Second) }
