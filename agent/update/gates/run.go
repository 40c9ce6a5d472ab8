package gates

import (
	"context"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// Options of Run. Machine, Started and Publish are the caller's to give.
type Options struct {
	Machine *state.Machine
	// Started is when the kernel started; the deadline counts from there.
	Started time.Time
	// HasDisk: the machine was started from a disk, and /var belongs on it.
	HasDisk bool
	// RequireConfirmation beside the document's, as apply may ask for.
	RequireConfirmation bool
	// Endless: there is no version to go back to, so that the gates are awaited without a deadline, and the only verdict is Commit.
	Endless bool
	// Before are the terms until a document is in force, as apply has kept them; zero: those of the plan of the empty document.
	Before Terms
	// Confirmation is set to who gives the word. nil: nobody can.
	Confirmation *state.Value[string]
	// Failures are what of the agent is out of order although no other value says so. nil: nothing.
	Failures *state.Value[[]string]
	// Exec runs a command in a container and returns its exit code. nil: exec checks fail.
	Exec func(ctx context.Context, container string, command []string) (int, error)
	// Publish is told the gates at each change, and the deadline.
	Publish func(gates []state.Gate, deadline time.Time)

	// askHTTP and askAPI are replaced in tests.
	askHTTP func(ctx context.Context, url string) error
	askAPI  func(ctx context.Context, api state.API) error
}

// Run watches the machine until there is a verdict, which is Commit or Reject, or until ctx ends. It may be started again: gates then count anew, and
// the deadline stays where it was.
func Run(ctx context.Context, o Options) (Verdict, error) {
	o = o.complete()
	asking := &asking{wanted: map[string]wanted{}}
	defer asking.stop()
	probation, evaluation := NewProbation(o.Started), Evaluation{}
	var verdict Verdict
	for {
		in, changes := o.observe()
		asking.want(ctx, o.questions(in))
		in.Serving, in.Checks, changes = asking.answers(changes)
		published, deadline := evaluation.Gates, verdict.Deadline
		evaluation = Evaluate(in, evaluation)
		probation, verdict = probation.Observe(in.Now, evaluation.Gates, o.terms(in))
		if !slices.Equal(published, evaluation.Gates) || !deadline.Equal(verdict.Deadline) {
			o.Publish(evaluation.Gates, verdict.Deadline)
		}
		if verdict.Decision != Wait {
			return verdict, nil
		}
		var next <-chan time.Time
		if !verdict.Next.IsZero() {
			next = time.After(time.Until(verdict.Next))
		}
		if !state.WaitAny(ctx.Done(), changes, next) {
			return Verdict{}, ctx.Err()
		}
	}
}

// terms are the document's, once there is one.
func (o Options) terms(in Input) Terms {
	t := Terms{Probation: in.Desired.Update.Probation, Deadline: in.Desired.Update.Deadline}
	inForce := in.Document.Phase == state.DocumentApplied || in.Document.Phase == state.DocumentLastGood
	if !inForce && o.Before.Deadline > 0 {
		t = o.Before
	}
	t.Endless = o.Endless
	return t
}

func (o Options) complete() Options {
	if o.Confirmation == nil {
		o.Confirmation = &state.Value[string]{}
	}
	if o.Failures == nil {
		o.Failures = &state.Value[[]string]{}
	}
	if o.askHTTP == nil {
		o.askHTTP = askHTTP
	}
	if o.askAPI == nil {
		o.askAPI = handshake
	}
	return o
}

// observe takes what the state knows, and a channel for each value that is closed when it changes.
func (o Options) observe() (Input, []<-chan struct{}) {
	in := Input{HasDisk: o.HasDisk, RequireConfirmation: o.RequireConfirmation}
	var changes []<-chan struct{}
	in.Desired, _ = watch(&o.Machine.Desired, &changes)
	in.Document, _ = watch(&o.Machine.Document, &changes)
	in.Network, _ = watch(&o.Machine.Network, &changes)
	if storage, known := watch(&o.Machine.Storage, &changes); known {
		in.Storage = &storage
	}
	in.Runtime, _ = watch(&o.Machine.Runtime, &changes)
	in.Containers, _ = watch(&o.Machine.Containers, &changes)
	in.API, _ = watch(&o.Machine.API, &changes)
	in.Failures, _ = watch(o.Failures, &changes)
	in.ConfirmedBy, _ = watch(o.Confirmation, &changes)
	in.Now = time.Now()
	return in, changes
}

func watch[T any](v *state.Value[T], changes *[]<-chan struct{}) (T, bool) {
	current, known, changed := v.Watch()
	*changes = append(*changes, changed)
	return current, known
}
