package config

import (
	"fmt"
	"time"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/api/v1alpha1"
)

// candidate is a user document that may be in force, and what Evaluate makes of it on this machine.
type candidate struct {
	user   []byte
	source string // for people
	digest string // of user
	facts  plan.Facts
	// effective and desired are valid without problems.
	effective v1alpha1.Machine
	desired   plan.Desired
	problems  []Problem
}

// evaluateCandidate is Evaluate that remembers its input. name stands for the document in problems.
func evaluateCandidate(image, user []byte, source, name string, facts plan.Facts) *candidate {
	c := &candidate{user: user, source: source, digest: digest(user), facts: facts}
	c.effective, c.desired, c.problems = evaluate(Input{Image: image, User: user, UserSource: name}, facts)
	return c
}

// standing is all that the choice of the document in force depends on.
type standing struct {
	// trial and api are documents of the API; api is set only without problems.
	trial, api *candidate
	revertAt   time.Time // of the trial
	apiHead    apiHead   // of trial, else of api
	// apiErr says why a document of the API that is kept cannot be used.
	apiErr error
	// metadata is the newest answer of a source; kept the last good one, without problems; keptErr why there is none that can be used.
	metadata, kept *candidate
	keptErr        error
	// fetchErr is the last fetch's; timedOut: the time given for metadata is over; opened: what was kept has been looked for.
	fetchErr         error
	timedOut, opened bool
	timeout          time.Duration
	// inMemory: /var does not outlive this boot. storeErr says why nothing can be kept.
	inMemory bool
	storeErr error
	// note tells what became of the last trial.
	note string
}

// choose returns the document that is to be in force (nil: none), and what to say about it.
//
//	trial > API > metadata > last good (when metadata's is invalid, or its time is over) > none
func (s standing) choose() (*candidate, state.Document) {
	c, d := s.first()
	if s.apiErr != nil && s.trial == nil && s.api == nil {
		d.Phase = state.DocumentInvalid
		d.Errors = append(d.Errors, s.apiErr.Error())
	}
	if s.storeErr != nil {
		d.Errors = append(d.Errors, s.storeErr.Error())
	}
	if s.note != "" {
		d.Warnings = append(d.Warnings, s.note)
	}
	return c, d
}

func (s standing) first() (*candidate, state.Document) {
	switch {
	case s.trial != nil:
		d := s.ofAPI(s.trial)
		d.RevertAt = s.revertAt
		return s.trial, d
	case s.api != nil:
		return s.api, s.ofAPI(s.api)
	case s.metadata != nil && s.metadata.problems == nil:
		return s.metadata, applied(s.metadata)
	case s.metadata != nil:
		d := applied(s.metadata)
		d.Phase, d.Errors = state.DocumentInvalid, s.withKeptErr(sentences(s.metadata.problems))
		return s.kept, d
	case s.timedOut && s.kept != nil:
		d := applied(s.kept)
		d.Phase = state.DocumentLastGood
		return s.kept, d
	}
	return nil, s.none()
}

func applied(c *candidate) state.Document {
	return state.Document{Phase: state.DocumentApplied, Source: c.source, Digest: c.digest}
}

// ofAPI warns of what differs from what people expect: metadata has moved on, or the document will be gone after a restart.
func (s standing) ofAPI(c *candidate) state.Document {
	d := applied(c)
	if m := s.metadata; m != nil && s.apiHead.Metadata != "" && m.digest != s.apiHead.Metadata {
		d.Warnings = append(d.Warnings, fmt.Sprintf("%s holds a new document (%s): it is not applied while one of the API is in force", m.source, m.digest))
	}
	if s.inMemory {
		d.Warnings = append(d.Warnings, "the document of the API is gone after a restart: /var is in memory")
	}
	return d
}

func (s standing) none() state.Document {
	d := state.Document{Phase: state.DocumentWaiting}
	if s.timedOut && s.opened {
		d.Phase = state.DocumentMissing
	}
	switch {
	case s.fetchErr != nil:
		d.Errors = []string{s.fetchErr.Error()}
	case d.Phase == state.DocumentMissing:
		d.Errors = []string{fmt.Sprintf("no metadata source has answered within %s", s.timeout)}
	}
	if d.Phase == state.DocumentMissing {
		d.Errors = s.withKeptErr(d.Errors)
	}
	return d
}

func (s standing) withKeptErr(errs []string) []string {
	if s.keptErr != nil {
		return append(errs, s.keptErr.Error())
	}
	return errs
}

// fallback returns the document that is in force without the API's, or nil.
func (s standing) fallback() *candidate {
	s.trial, s.api, s.timedOut = nil, nil, true
	c, _ := s.first()
	return c
}

// withMetadata returns facts with what a platform said.
func withMetadata(facts plan.Facts, r metadata.Result) plan.Facts {
	facts.Platform, facts.Hostname, facts.InstanceID = r.Platform, r.Hostname, r.InstanceID
	return facts
}
