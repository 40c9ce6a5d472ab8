package config

import (
	"fmt"
	"time"

	"github.com/stele-os/stele/agent/fault"
)

// try puts a document in force until its deadline. The record tells the next boot that there was a trial; it never puts it in force again.
func (r *runner) try(c *candidate, record apiRecord, deadline time.Time) error {
	if err := r.documents.keepAPI(trialFile, record); err != nil {
		return storing(err)
	}
	r.trial, r.trialRecord, r.apiHead, r.note = c, record, record.apiHead, ""
	r.deadline, r.revertAt = deadline, record.RevertAt
	r.settle()
	return nil
}

// trialTimer fires when the trial is over; without one it never does. Waiting is on the monotonic clock.
func (r *runner) trialTimer() (<-chan time.Time, func()) {
	if r.trial == nil {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(r.deadline))
	return timer.C, func() { timer.Stop() }
}

// confirm makes the document on trial the API's. Between the two records a power cut leaves it confirmed.
func (r *runner) confirm(digest string) error {
	switch {
	case r.trial == nil:
		return fault.New(fault.Precondition, "cannot confirm a document: none is on trial")
	case digest != "" && digest != r.trial.digest:
		return fault.New(fault.Aborted, "cannot confirm document %s: %s is on trial", digest, r.trial.digest)
	}
	record := r.trialRecord
	record.RevertAt = time.Time{}
	return r.applyForGood(r.trial, record)
}

// revert takes the document on trial back at once.
func (r *runner) revert(caller string, mayChangeCAs bool) (string, error) {
	if r.trial == nil {
		return "", fault.New(fault.Precondition, "cannot revert the document: none is on trial")
	}
	before := r.standing
	before.trial = nil
	if c, _ := before.first(); !mayChangeCAs && r.changesAPI(c) {
		return "", fault.New(fault.Denied, "cannot revert the document: the one before it has another spec.api, which takes an admin")
	}
	r.endTrial(fmt.Sprintf("%s reverted it", caller))
	r.settle()
	return r.digestInForce(), nil
}

// toMetadata drops every document of the API, unless there is nothing to go back to: the API itself is part of a document.
func (r *runner) toMetadata(mayChangeCAs bool) (string, error) {
	if r.api == nil && r.trial == nil && r.apiErr == nil {
		return "", fault.New(fault.Precondition, "cannot go back to metadata's document: no document of the API is in force")
	}
	back := r.fallback()
	if back == nil {
		return "", fault.New(fault.Precondition, "cannot go back to metadata's document: none has come since the start, and none is kept")
	}
	if !mayChangeCAs && r.changesAPI(back) {
		return "", fault.New(fault.Denied, "cannot go back to metadata's document: it has another spec.api, which takes an admin")
	}
	if err := r.storable(); err != nil {
		return "", err
	}
	if err := r.documents.remove(apiFile); err != nil {
		return "", storing(err)
	}
	r.dropTrial()
	r.api, r.apiErr, r.note, r.timedOut = nil, nil, "", true
	r.settle()
	return r.digestInForce(), nil
}

// changesAPI tells whether a document (nil: none) has another spec.api than what is in force.
func (r *runner) changesAPI(c *candidate) bool {
	now, _ := r.machine.Desired.Get()
	if c == nil {
		return now.API != r.bootstrap().API
	}
	return c.desired.API != now.API
}

// endTrial takes the trial back and notes why. It succeeds whatever the disk says: a record that stays is removed at the next start.
func (r *runner) endTrial(why string) {
	r.note = fmt.Sprintf("document %s was on trial and is taken back: %s", r.trial.digest, why)
	r.dropTrial()
}

func (r *runner) dropTrial() {
	if r.trial == nil {
		return
	}
	r.trial, r.trialRecord, r.revertAt, r.deadline = nil, apiRecord{}, time.Time{}, time.Time{}
	r.apiHead = r.apiRecord.apiHead
	if err := r.documents.remove(trialFile); err != nil {
		r.storeErr = err
	}
}

func (r *runner) digestInForce() string {
	if r.current == nil {
		return ""
	}
	return r.current.digest
}
