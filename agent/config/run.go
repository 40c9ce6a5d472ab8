package config

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/state"
)

const (
	backoffFirst = 250 * time.Millisecond
	backoffMax   = 30 * time.Second
	// attemptTimeout ends a fetch that hangs, so that the next one can find the source in another state.
	attemptTimeout = 90 * time.Second
	// defaultTimeout where the image gives none.
	defaultTimeout = time.Minute
)

// Options of Run. Image, Fetch and Timeout are the caller's to give.
type Options struct {
	// Image is the image definition's own document (v1alpha1.ImageDocumentPath); empty where it has none.
	Image []byte
	// Fetch makes one round over the metadata sources.
	Fetch func(context.Context) (metadata.Result, error)
	// Timeout is how long to wait for metadata before saying so and using the last good document. 0: a minute.
	Timeout time.Duration
	// Dir keeps the last good document. Empty: LastGoodPath.
	Dir string
}

// Run brings the machine under its document and then waits for ctx to end:
//
//	plan of the empty document, waiting-for-metadata
//	    ├─ metadata with a valid document, or with none ──▶ applied; kept as last good
//	    ├─ metadata with an invalid document ──▶ invalid; the last good one, if any, is in force; fetch again
//	    └─ nothing within Timeout ──▶ last-good, or no-metadata where there is none; fetch again
//
// It fetches at once, then with growing waits (TestRun drives the time by testing/synctest). It may be started again after a failure: what is in force stays in force.
func Run(ctx context.Context, m *state.Machine, o Options) error {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Dir == "" {
		o.Dir = LastGoodPath
	}
	r := &runner{machine: m, image: o.Image, kept: lastGood{o.Dir}, timeout: o.Timeout}
	r.begin()
	f := fetching{Options: o, deadline: time.After(o.Timeout), expire: r.expire}
	for wait := backoffFirst; ; wait = min(2*wait, backoffMax) {
		result, err := f.fetch(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			r.failed(err)
		} else if r.accept(ctx, result) {
			<-ctx.Done()
			return nil
		}
		if !f.rest(ctx, wait) {
			return nil
		}
	}
}

// fetching makes rounds; wherever it waits, it calls expire once the deadline is over.
type fetching struct {
	Options
	deadline <-chan time.Time
	expire   func(context.Context)
}

type outcome struct {
	result metadata.Result
	err    error
}

// fetch makes one round, in a goroutine that has ended when fetch returns: Fetch ends when its context does.
func (f *fetching) fetch(ctx context.Context) (metadata.Result, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	done := make(chan outcome, 1)
	go func() { done <- contained(attempt, f.Fetch) }()
	for {
		select {
		case o := <-done:
			return o.result, o.err
		case <-f.deadline:
			f.deadline = nil
			f.expire(ctx)
		}
	}
}

// rest waits; it returns false when ctx has ended.
func (f *fetching) rest(ctx context.Context, wait time.Duration) bool {
	over := time.After(wait)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-f.deadline:
			f.deadline = nil
			f.expire(ctx)
		}
	}
}
