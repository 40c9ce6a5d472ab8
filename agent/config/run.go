package config

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/slotstate"
)

const (
	backoffFirst = 250 * time.Millisecond
	backoffMax   = 30 * time.Second
	// attemptTimeout ends a fetch that hangs, so that the next one can find the source in another state.
	attemptTimeout = 90 * time.Second
	// defaultTimeout where the image gives none.
	defaultTimeout = time.Minute
)

// Options of a Manager. Image, Fetch and Timeout are the caller's to give.
type Options struct {
	// Image is the image definition's own document (v1alpha1.ImageDocumentPath); empty where it has none.
	Image []byte
	// Fetch makes one round over the metadata sources.
	Fetch func(context.Context) (metadata.Result, error)
	// Timeout is how long to wait for metadata before saying so and using the last good document. 0: a minute.
	Timeout time.Duration
	// Store keeps documents per slot. Zero: the machine's.
	Store slotstate.Store
	// Legacy is where versions without slots kept the last good document. Empty: slotstate.LegacyPath with the machine's store, else none.
	Legacy string
	// Now is the clock for records. Nil: time.Now. No decision depends on it.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Legacy == "" && o.Store.Root == "" {
		o.Legacy = slotstate.LegacyPath
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Run brings the machine under its document and keeps it there until ctx ends:
//
//	plan of the empty document, waiting-for-metadata
//	    ├─ /var is there, with a document of the API ──▶ applied, until it is taken back; metadata is fetched for facts only
//	    ├─ metadata with a valid document, or with none ──▶ applied; kept as last good
//	    ├─ metadata with an invalid document ──▶ invalid; the last good one, if any, is in force; fetch again
//	    └─ nothing within Timeout ──▶ last-good, or no-metadata where there is none; fetch again
//
// It fetches at once, then with growing waits (TestRun drives the time by testing/synctest). It may be called again after a failure: what is in
// force stays in force, but for a document on trial, which is taken back.
func (m *Manager) Run(ctx context.Context) error {
	r := m.runner
	r.begin()
	if r.trial != nil {
		r.endTrial("its manager failed")
		r.settle()
	}
	f := fetching{fetch: r.options.Fetch}
	defer f.end()
	deadline := time.After(r.options.Timeout)
	for {
		if !r.satisfied() {
			f.begin(ctx)
		}
		storage, stored, storageChanged := r.machine.Storage.Watch()
		if stored && !r.opened {
			r.open(storage)
			continue
		}
		trial, stop := r.trialTimer()
		select {
		case <-ctx.Done():
			stop()
			return nil
		case o := <-f.done:
			f.ended()
			if ctx.Err() == nil {
				r.fetched(o.result, o.err)
			}
		case <-f.rested:
			f.rested = nil
		case <-deadline:
			r.expire()
		case <-trial:
			r.endTrial("nobody confirmed it in time")
			r.settle()
		case <-storageChanged:
		case call := <-m.calls:
			call.answer(r)
		}
		stop()
	}
}

// fetching makes rounds over the sources, one at a time, with growing waits between them.
type fetching struct {
	fetch func(context.Context) (metadata.Result, error)
	// done is not nil while an attempt is under way, rested not nil while the next one waits.
	done   chan outcome
	rested <-chan time.Time
	wait   time.Duration
	cancel context.CancelFunc
}

type outcome struct {
	result metadata.Result
	err    error
}

// begin starts an attempt, unless one is under way or has to wait. Its goroutine ends when its context does.
func (f *fetching) begin(ctx context.Context) {
	if f.done != nil || f.rested != nil || ctx.Err() != nil {
		return
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	done := make(chan outcome, 1)
	f.done, f.cancel = done, cancel
	go func() { done <- contained(attempt, f.fetch) }()
}

// ended is called with what came out of done.
func (f *fetching) ended() {
	f.cancel()
	f.wait = min(max(2*f.wait, backoffFirst), backoffMax)
	f.done, f.rested = nil, time.After(f.wait)
}

// end waits for the attempt under way, if any.
func (f *fetching) end() {
	if f.done != nil {
		f.cancel()
		<-f.done
	}
}
