package config

import (
	"bytes"
	"errors"
	"syscall"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server"
)

// apiSource is the source of a document of the API, for people.
const apiSource = "API"

// A trial is long enough to confirm it, and short enough not to be forgotten.
const (
	minTrial = time.Second
	maxTrial = 24 * time.Hour
)

// evaluateAPI is evaluateCandidate of a document that comes by the API: it also refuses what only a mistake can send.
func evaluateAPI(image, document []byte, facts plan.Facts) *candidate {
	c := evaluateCandidate(image, document, apiSource, apiSource, facts)
	if len(bytes.TrimSpace(document)) == 0 {
		c.problems = []Problem{{Source: apiSource, Line: 1, Column: 1, Message: "is empty: to go back to metadata's document, revert"}}
	} else if c.problems == nil {
		c.problems = findMask(document)
	}
	return c
}

// apply is Manager.Apply inside the loop: all checks, then the record, then the change.
func (r *runner) apply(caller string, q server.DocumentRequest) (server.DocumentResult, error) {
	facts, _ := r.machine.Facts.Get()
	c := evaluateAPI(r.options.Image, q.Document, facts)
	before, _ := r.machine.Desired.Get()
	if err := r.refuse(c, before, q); err != nil {
		return server.DocumentResult{}, err
	}
	result := server.DocumentResult{Digest: c.digest, Changes: plan.Changes(before, c.desired)}
	if q.DryRun {
		return result, nil
	}
	head := r.head(caller, facts)
	if q.TryFor == 0 {
		return result, r.applyForGood(c, apiRecord{head, q.Document})
	}
	// The deadline is on the monotonic clock, which no change of the time moves; the record's is for people.
	deadline := time.Now().Add(q.TryFor)
	head.RevertAt = r.options.Now().Add(q.TryFor).UTC().Round(0)
	result.RevertAt = head.RevertAt
	return result, r.try(c, apiRecord{head, q.Document}, deadline)
}

// refuse says why a request is not carried out, before anything is changed.
func (r *runner) refuse(c *candidate, before plan.Desired, q server.DocumentRequest) error {
	switch {
	case c.problems != nil:
		return invalidDocument(c.problems)
	case q.TryFor < 0 || q.TryFor > 0 && q.TryFor < minTrial || q.TryFor > maxTrial:
		return fault.New(fault.Invalid, "cannot try the document for %s: give %s to %s", q.TryFor, minTrial, maxTrial)
	case q.IfDigest != "" && (r.current == nil || r.current.digest != q.IfDigest):
		return fault.New(fault.Aborted, "cannot apply the document: %s is in force, not %s: get it, and change that one", r.inForce(), q.IfDigest)
	case !q.MayChangeCAs && c.desired.API != before.API:
		return fault.New(fault.Denied, "cannot apply the document: it changes spec.api, which takes an admin")
	case q.DryRun:
		return nil
	}
	return r.storable()
}

// storable tells whether a record can be kept.
func (r *runner) storable() error {
	switch {
	case !r.opened:
		return fault.New(fault.Unavailable, "cannot keep the document: /var is not mounted yet")
	case !r.usable:
		return fault.New(fault.Precondition, "cannot keep the document: %w", r.storeErr)
	}
	return nil
}

func (r *runner) inForce() string {
	if r.current == nil {
		return "no document"
	}
	return r.current.digest
}

// head of a new record: who, when, and what metadata had said by then.
func (r *runner) head(caller string, facts plan.Facts) apiHead {
	head := apiHead{Caller: caller, Time: r.options.Now().UTC().Round(0), Platform: facts.Platform, Hostname: facts.Hostname, InstanceID: facts.InstanceID}
	if r.metadata != nil {
		head.Metadata = r.metadata.digest
	}
	return head
}

// applyForGood: the record first, so that what is in force now is in force after a power cut, too.
func (r *runner) applyForGood(c *candidate, record apiRecord) error {
	if err := r.documents.keepAPI(apiFile, record); err != nil {
		return storing(err)
	}
	r.storeErr = nil
	r.dropTrial()
	r.api, r.apiRecord, r.apiHead, r.apiErr, r.note = c, record, record.apiHead, nil, ""
	r.settle()
	return nil
}

// storing gives an error of the store its kind.
func storing(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.As(fault.Exhausted, err)
	}
	return fault.As(fault.Unavailable, err)
}
