package network

import (
	"context"
	"time"
)

// run is the loop. It owns the sessions' goroutines.
func (r *reconciler) run(ctx context.Context, events <-chan event) error {
	ctx, cancel := context.WithCancel(ctx)
	defer r.stopAll()
	defer cancel()
	for ctx.Err() == nil {
		desired, set, changed := r.machine.Desired.Watch()
		var timer <-chan time.Time
		heard := events
		if set && r.reconcile(ctx, desired) {
			timer = r.after(r.untilNext())
		} else if set {
			timer, heard = r.after(unsettledPause), nil
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case e := <-heard:
			r.take(e)
		case u := <-r.updates:
			r.takeLease(u)
		case <-timer:
		}
		r.drain(events)
	}
	return nil
}

// drain takes what else came meanwhile, so that a burst of events costs one pass.
func (r *reconciler) drain(events <-chan event) {
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			r.take(e)
		case u := <-r.updates:
			r.takeLease(u)
		default:
			return
		}
	}
}

func (r *reconciler) take(e event) {
	l := r.last.byIndex(e.link)
	if l == nil {
		return
	}
	for _, o := range e.rdnss {
		r.advertised[e.link] = r.advertised[e.link].with(o, l.name, r.now())
	}
}

func (r *reconciler) takeLease(u update) {
	delete(r.problems, u.key)
	if u.problem != "" {
		r.problems[u.key] = u.problem
	}
	if u.lease == nil {
		delete(r.leases, u.key)
		return
	}
	r.leases[u.key] = *u.lease
}
