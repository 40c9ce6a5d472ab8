package gates

import (
	"slices"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// The states of a gate. These words appear on the console and in the API.
const (
	Waiting = "waiting"
	Held    = "held"
	Failed  = "failed" // final
)

// The names of gates that every version may have.
const (
	Settled      = "settled"
	Network      = "network"
	Storage      = "storage"
	Runtime      = "runtime"
	API          = "api"
	Confirmation = "confirmation"
)

// Input is what a machine knows of itself at one moment.
type Input struct {
	Now time.Time

	Desired    plan.Desired
	Document   state.Document
	Network    state.Network
	Storage    *state.Storage // nil: not known yet
	Runtime    state.Runtime
	Containers []state.Container
	API        state.API

	// HasDisk: the machine was started from a disk, and /var belongs on it.
	HasDisk bool
	// Failures are what else of the agent is out of order, in sentences.
	Failures []string
	// Serving is the last answer of the machine's own API server; nil: it was not asked yet.
	Serving *Answer
	// Checks are the last answers by the check's name; absent: not asked yet.
	Checks map[string]Answer
	// RequireConfirmation beside the document's.
	RequireConfirmation bool
	// ConfirmedBy is who gave the word; empty: nobody yet.
	ConfirmedBy string
}

// Answer is the result of one check: nil is success.
type Answer struct{ Err error }

// Evaluation is the result of Evaluate, and what the next one compares with. The zero value comes before the first.
type Evaluation struct {
	Gates []state.Gate
	// restarts of each required container when it was last seen.
	restarts map[string]int
}

// Evaluate says for each gate whether it holds. Since of a gate moves when its state changes, and when a container was restarted unseen.
func Evaluate(in Input, before Evaluation) Evaluation {
	next := Evaluation{restarts: map[string]int{}}
	add := func(name, condition, reason string) {
		next.Gates = append(next.Gates, dated(state.Gate{Name: name, State: condition, Reason: reason}, before.Gates, in.Now))
	}
	condition, reason := settled(in)
	add(Settled, condition, reason)
	condition, reason = network(in.Network)
	add(Network, condition, reason)
	condition, reason = storage(in)
	add(Storage, condition, reason)
	condition, reason = runtime(in.Runtime)
	add(Runtime, condition, reason)
	if in.Desired.API.Port != 0 {
		condition, reason = api(in)
		add(API, condition, reason)
	}
	for _, want := range in.Desired.Containers {
		if want.Required {
			next.addContainer(want, in, before)
		}
	}
	for _, check := range in.Desired.Update.Checks {
		condition, reason = checked(in.Checks, check.Name)
		add(checkName(check), condition, reason)
	}
	if in.RequireConfirmation || in.Desired.Update.RequireConfirmation {
		condition, reason = confirmation(in.ConfirmedBy)
		add(Confirmation, condition, reason)
	}
	return next
}

// dated gives a gate the time since which it is as it is.
func dated(g state.Gate, before []state.Gate, now time.Time) state.Gate {
	g.Since = now
	at := slices.IndexFunc(before, func(b state.Gate) bool { return b.Name == g.Name && b.State == g.State })
	if at >= 0 {
		g.Since = before[at].Since
	}
	return g
}

// checkName is the name of a check's gate.
func checkName(c plan.Check) string {
	if c.HTTP != "" {
		return "http " + c.Name
	}
	return "exec " + c.Name
}
