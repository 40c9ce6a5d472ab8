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

// runner takes what the fetches bring and publishes what follows from it.
type runner struct {
	machine *state.Machine
	image   []byte
	kept    lastGood
	timeout time.Duration
	// refused is the digest of the newest metadata whose document was invalid, so that the same one is not judged again at each fetch.
	refused string
	// triedKept: the last good document has been looked for.
	triedKept bool
}

// begin publishes the plan of the empty document. Where something is in force already, a new start of the manager leaves it alone.
func (r *runner) begin() {
	if _, set := r.machine.Desired.Get(); set {
		return
	}
	facts, _ := r.machine.Facts.Get()
	if bootstrap, err := plan.Plan(empty(), facts); err == nil { // TestBootstrap: it cannot fail
		r.machine.Desired.Set(bootstrap)
	}
	r.document(state.Document{Phase: state.DocumentWaiting})
}

// document publishes only what is new: each change is a line on the console.
func (r *runner) document(d state.Document) {
	if old, set := r.machine.Document.Get(); !set || !reflect.DeepEqual(old, d) {
		r.machine.Document.Set(d)
	}
}

// accept judges fetched metadata. It returns true when its document is in force.
func (r *runner) accept(ctx context.Context, result metadata.Result) bool {
	facts, _ := r.machine.Facts.Get()
	facts.Platform, facts.Hostname, facts.InstanceID = result.Platform, result.Hostname, result.InstanceID
	sum, judged := digest(result.UserData), digest(encodeRecord(result))
	if judged == r.refused {
		return false
	}
	desired, problems := Evaluate(Input{Image: r.image, User: result.UserData, UserSource: result.Origin}, facts)
	if problems != nil {
		r.refused = judged
		r.refuse(ctx, state.Document{Phase: state.DocumentInvalid, Source: result.Origin, Digest: sum, Errors: sentences(problems)})
		return false
	}
	r.machine.Facts.Set(facts)
	r.machine.Desired.Set(desired)
	document := state.Document{Phase: state.DocumentApplied, Source: result.Origin, Digest: sum}
	r.document(document)
	r.keep(ctx, result, document)
	return true
}

// refuse publishes why a document is invalid, at once, and puts the last good one in force.
func (r *runner) refuse(ctx context.Context, d state.Document) {
	r.document(d)
	if _, err := r.applyKept(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
		d.Errors = append(d.Errors[:len(d.Errors):len(d.Errors)], err.Error())
		r.document(d)
	}
}

// keep stores a good document once /var is there. The machine does not wait for it: the document is in force already.
func (r *runner) keep(ctx context.Context, result metadata.Result, document state.Document) {
	if !r.awaitStorage(ctx) {
		return
	}
	if err := r.kept.save(result); err != nil {
		document.Errors = []string{err.Error()}
		r.document(document)
	}
}

// failed notes why no metadata came. In force stays what is in force.
func (r *runner) failed(err error) {
	if d, _ := r.machine.Document.Get(); d.Phase == state.DocumentWaiting || d.Phase == state.DocumentMissing {
		d.Errors = []string{err.Error()}
		r.document(d)
	}
}

// expire is called when the time for metadata is over.
func (r *runner) expire(ctx context.Context) {
	d, _ := r.machine.Document.Get()
	if d.Phase != state.DocumentWaiting {
		return
	}
	kept, err := r.applyKept(ctx)
	switch {
	case err == nil:
		r.document(state.Document{Phase: state.DocumentLastGood, Source: kept.Origin, Digest: digest(kept.UserData)})
		return
	case !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil:
		d.Errors = append(append([]string(nil), d.Errors...), err.Error())
	}
	if d.Phase = state.DocumentMissing; len(d.Errors) == 0 {
		d.Errors = []string{fmt.Sprintf("no metadata source has answered within %s", r.timeout)}
	}
	r.document(d)
}

// applyKept puts the last good document in force, unless another document has been since the start.
func (r *runner) applyKept(ctx context.Context) (metadata.Result, error) {
	if r.triedKept {
		return metadata.Result{}, fs.ErrNotExist
	}
	if !r.awaitStorage(ctx) {
		return metadata.Result{}, ctx.Err()
	}
	r.triedKept = true
	kept, err := r.kept.load()
	if err != nil {
		return metadata.Result{}, err
	}
	facts, _ := r.machine.Facts.Get()
	facts.Platform, facts.Hostname, facts.InstanceID = kept.Platform, kept.Hostname, kept.InstanceID
	desired, problems := Evaluate(Input{Image: r.image, User: kept.UserData, UserSource: "last good document"}, facts)
	if problems != nil {
		return metadata.Result{}, fmt.Errorf("cannot use the last good document: %s", problems[0].Sentence())
	}
	r.machine.Facts.Set(facts)
	r.machine.Desired.Set(desired)
	return kept, nil
}

// awaitStorage waits until /var is mounted, or known to be absent and replaced by a tmpfs.
func (r *runner) awaitStorage(ctx context.Context) bool {
	for {
		_, set, changed := r.machine.Storage.Watch()
		if set {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
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
