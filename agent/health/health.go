// Package health asks containers how they are, and decides what the answers mean.
//
// Tracker is the pure half: thresholds over a row of answers, and when to ask next. Run is the loop around it. What follows from being
// healthy or not (readiness, a restart) is agent/containers' business.
//
// Names and meaning are those of Kubernetes' probes, with one difference: a readiness probe with the fast start asks every 100 ms during
// the first 10 s (every 25 ms during the first one) until its first success. Kubernetes' shortest period of one second would be a fifth of our boot.
package health

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/plan"
)

const (
	// fastPeriod is the period before the first success, fastTime how long it lasts; during firstTime it is firstPeriod.
	firstPeriod = 25 * time.Millisecond
	firstTime   = time.Second
	fastPeriod  = 100 * time.Millisecond
	fastTime    = 10 * time.Second
)

// Tracker holds what is known of one probe. It is a value: Observe returns the next one.
type Tracker struct {
	// Healthy is the verdict; it starts as given to NewTracker.
	Healthy bool
	// Err is the last failure, nil after a success.
	Err error

	probe     plan.Probe
	fast      bool
	succeeded bool
	row       int // answers in a row that contradict Healthy
}

// NewTracker starts a readiness probe (unhealthy until proven, fast start) or a liveness probe (healthy until refuted).
func NewTracker(p plan.Probe, readiness bool) Tracker {
	return Tracker{Healthy: !readiness, probe: p, fast: readiness}
}

// Observe counts one answer: nil is success.
func (t Tracker) Observe(err error) Tracker {
	t.Err = err
	t.succeeded = t.succeeded || err == nil
	if (err == nil) == t.Healthy {
		t.row = 0
		return t
	}
	t.row++
	threshold := t.probe.FailureThreshold
	if err == nil {
		threshold = t.probe.SuccessThreshold
	}
	if t.row >= max(threshold, 1) {
		t.Healthy, t.row = err == nil, 0
	}
	return t
}

// Wait is the time until the next question, when the container has been running for age.
func (t Tracker) Wait(age time.Duration) time.Duration {
	period := t.probe.Period
	if period <= 0 {
		period = 10 * time.Second
	}
	if t.quick(age) && age < t.probe.InitialDelay+firstTime {
		return min(firstPeriod, period)
	}
	if t.quick(age) {
		return min(fastPeriod, period)
	}
	return period
}

// Clock is the time, and a way to wait for it.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// quick tells whether the fast start lasts when the container has been running for age.
func (t Tracker) quick(age time.Duration) bool {
	return t.fast && !t.succeeded && age < t.probe.InitialDelay+fastTime
}

// Run asks until the context ends. It reports the tracker whenever the verdict changes, and once where the first verdict stays; during the fast start
// that can wait: a container that is not ready within its first moments is no news.
func Run(ctx context.Context, clock Clock, t Tracker, ask func(context.Context) error, report func(Tracker)) {
	started := clock.Now()
	wait := t.probe.InitialDelay
	for told := false; ; {
		if wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-clock.After(wait):
			}
		}
		err := askOnce(ctx, t.probe.Timeout, ask)
		if ctx.Err() != nil {
			return
		}
		next, age := t.Observe(err), clock.Now().Sub(started)
		if next.Healthy != t.Healthy || !told && !next.quick(age) {
			report(next)
			told = true
		}
		t, wait = next, next.Wait(age)
	}
}

func askOnce(ctx context.Context, timeout time.Duration, ask func(context.Context) error) error {
	if timeout <= 0 {
		timeout = time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return ask(ctx)
}
