package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"time"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// runner takes what fetches and callers bring and publishes what follows from it. Only the manager's loop calls it.
type runner struct {
	standing
	machine   *state.Machine
	options   Options
	documents kept
	// usable: the slot's state is prepared for this version, so that documents can be kept.
	usable bool
	// result is what metadata was made of; unkept: it is valid and not kept yet.
	result metadata.Result
	unkept bool
	// trialRecord is what trial was made of, apiRecord what api was.
	trialRecord, apiRecord apiRecord
	// deadline of trial, on the monotonic clock.
	deadline time.Time
	// current is what this manager put in force; nil: nothing yet.
	current *candidate
	// view is current for readers beside the loop.
	view *state.Value[*candidate]
}

// begin publishes the plan of the empty document. Where something is in force already, a new start of the manager leaves it alone.
func (r *runner) begin() {
	if _, set := r.machine.Desired.Get(); set {
		return
	}
	r.machine.Desired.Set(r.bootstrap())
	r.document(state.Document{Phase: state.DocumentWaiting})
}

func (r *runner) bootstrap() plan.Desired {
	facts, _ := r.machine.Facts.Get()
	desired, _ := plan.Plan(empty(), facts) // TestBootstrap: it cannot fail
	return desired
}

// document publishes only what is new: each change is a line on the console.
func (r *runner) document(d state.Document) {
	if old, set := r.machine.Document.Get(); !set || !reflect.DeepEqual(old, d) {
		r.machine.Document.Set(d)
	}
}

// settle puts in force what choose says, and then keeps what is worth it: nothing waits for the disk.
func (r *runner) settle() {
	r.publish()
	if r.unkept && r.usable {
		r.storeErr = r.documents.keepLastGood(r.result)
		r.unkept = r.storeErr != nil // tried again at the next event
		r.publish()
	}
}

func (r *runner) publish() {
	c, d := r.choose()
	if c == nil && r.current == nil {
		if old, _ := r.machine.Document.Get(); d.Phase != state.DocumentInvalid && old.Phase != state.DocumentWaiting && old.Phase != state.DocumentMissing {
			return // a manager before this one put a document in force: nothing is better than that
		}
	}
	switch {
	case c != nil && c != r.current:
		r.machine.Facts.Set(c.facts)
		r.desire(c.desired)
	case c == nil && r.current != nil:
		r.desire(r.bootstrap())
	}
	r.current = c
	r.view.Set(c)
	r.document(d)
}

func (r *runner) desire(d plan.Desired) {
	if old, set := r.machine.Desired.Get(); !set || !reflect.DeepEqual(old, d) {
		r.machine.Desired.Set(d)
	}
}

// fetched judges the answer of a source.
func (r *runner) fetched(result metadata.Result, err error) {
	if r.fetchErr = err; err == nil && (r.metadata == nil || !reflect.DeepEqual(r.result, result)) {
		facts, _ := r.machine.Facts.Get()
		facts = withMetadata(facts, result)
		r.result = result
		r.metadata = evaluateCandidate(r.options.Image, result.UserData, result.Origin, result.Origin, facts)
		r.unkept = r.metadata.problems == nil
		r.learn(facts)
	}
	r.settle()
}

// learn makes what the platform says known to a document of the API, which was put in force without waiting for it.
func (r *runner) learn(facts plan.Facts) {
	for _, c := range []**candidate{&r.trial, &r.api} {
		if *c == nil || reflect.DeepEqual((*c).facts, facts) {
			continue
		}
		if again := evaluateCandidate(r.options.Image, (*c).user, (*c).source, (*c).source, facts); again.problems == nil {
			*c = again
		}
	}
}

// satisfied tells whether there is nothing to fetch: a document of metadata is in force, or one of the API is and facts are there.
func (r *runner) satisfied() bool {
	return r.metadata != nil && (r.metadata.problems == nil || r.api != nil || r.trial != nil)
}

// expire is called when the time for metadata is over.
func (r *runner) expire() {
	r.timedOut = true
	r.settle()
}

// open looks for what is kept, once /var is mounted, or known to be absent and replaced by a tmpfs.
func (r *runner) open(storage state.Storage) {
	boot, _ := r.machine.Boot.Get()
	r.documents = kept{r.options.Store, boot.Slot}
	r.opened, r.inMemory = true, storage.VarDevice == ""
	r.storeErr = errUnprepared
	if r.storeErr = r.options.Store.Prepare(boot.Slot, r.options.Legacy); r.storeErr != nil {
		r.settle()
		return
	}
	r.usable = true
	r.openLastGood()
	r.openAPI()
	r.settle()
}

// errUnprepared stands where preparing did not return.
var errUnprepared = errors.New("the slot's state could not be prepared")

func (r *runner) openLastGood() {
	result, err := r.documents.lastGood()
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		r.keptErr = err
		return
	}
	facts, _ := r.machine.Facts.Get()
	c := evaluateCandidate(r.options.Image, result.UserData, result.Origin, "last good document", withMetadata(facts, result))
	if c.problems != nil {
		r.keptErr = fmt.Errorf("cannot use the last good document: %s", c.problems[0].Sentence())
		return
	}
	r.kept = c
}

// openAPI puts the document of the API in force. A trial of an earlier boot has ended with it.
func (r *runner) openAPI() {
	trial, err := r.documents.api(trialFile)
	if !errors.Is(err, fs.ErrNotExist) {
		r.note = "a document on trial was not confirmed before the restart: it is taken back"
		r.storeErr = r.documents.remove(trialFile)
	}
	record, err := r.documents.api(apiFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil && digest(trial.Document) == digest(record.Document) {
		r.note = "" // it was confirmed; only its end was cut off
	}
	if err != nil {
		r.apiErr = err
		return
	}
	facts, _ := r.machine.Facts.Get()
	if r.metadata == nil {
		facts.Platform, facts.Hostname, facts.InstanceID = record.Platform, record.Hostname, record.InstanceID
	}
	c := evaluateCandidate(r.options.Image, record.Document, apiSource, apiSource, facts)
	if c.problems != nil {
		r.apiErr = fmt.Errorf("cannot use the document of the API: %s", c.problems[0].Sentence())
		return
	}
	r.api, r.apiRecord, r.apiHead = c, record, record.apiHead
}

// contained calls fetch and turns a panic into an error: it runs in a goroutine where a panic would end PID 1.
func contained(ctx context.Context, fetch func(context.Context) (metadata.Result, error)) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{err: fmt.Errorf("cannot fetch metadata: panic: %v", p)}
		}
	}()
	result, err := fetch(ctx)
	return outcome{result, err}
}
