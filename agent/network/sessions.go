package network

import (
	"context"

	"github.com/stele-os/stele/agent/plan"
)

// wantSession tells whether a session of this family belongs on a link, and with which target.
func wantSession(f family, l link, c plan.Link) (target, bool) {
	t := target{index: l.index, name: l.name, mac: l.mac}
	if l.loopback || !l.up {
		return t, false
	}
	if f == v4 {
		return t, c.DHCP4
	}
	t.stateless = !l.managedFlag
	return t, c.IPv6Auto && (l.managedFlag || l.otherFlag)
}

// tend starts the sessions that are wanted and not there, and stops the others. A session begins when its link has a carrier for the
// first time; when the carrier comes back it is told so. It tells whether a lease was dropped.
func (r *reconciler) tend(ctx context.Context, o observed, desired plan.Desired) (dropped bool) {
	wanted := map[sessionKey]bool{}
	for _, l := range o.links {
		back := l.carrier && !r.carriers[l.index]
		for _, f := range []family{v4, v6} {
			key := sessionKey{l.index, f}
			t, ok := wantSession(f, l, configOf(desired.Network, l))
			if !ok {
				continue
			}
			wanted[key] = true
			r.tendOne(ctx, key, t, l.carrier, back)
		}
		r.carriers[l.index] = l.carrier
	}
	for key := range r.sessions {
		if !wanted[key] {
			_, leased := r.leases[key]
			dropped = dropped || leased
			r.stop(key)
		}
	}
	return dropped
}

func (r *reconciler) tendOne(ctx context.Context, key sessionKey, t target, carrier, back bool) {
	s := r.sessions[key]
	_, leased := r.leases[key]
	switch {
	case s == nil && !carrier:
	case s == nil:
		r.start(ctx, key, t)
	case s.target.stateless != t.stateless, s.target.mac != t.mac, s.target.name != t.name, back && !leased:
		r.stop(key)
		r.start(ctx, key, t)
	case back:
		select {
		case s.returned <- struct{}{}:
		default:
		}
	}
}

func (r *reconciler) start(ctx context.Context, key sessionKey, t target) {
	ctx, cancel := context.WithCancel(ctx)
	s := &running{target: t, cancel: cancel, done: make(chan struct{}), returned: make(chan struct{}, 1)}
	r.sessions[key] = s
	run := runner{
		key: key, target: t, exchange: r.exchange[key.family], hostname: r.hostname,
		now: r.now, after: r.after, returned: s.returned, updates: r.updates,
	}
	go func() {
		defer close(s.done)
		run.run(ctx)
	}()
}

// stop ends a session and forgets its lease; the next pass takes the address away.
func (r *reconciler) stop(key sessionKey) {
	s := r.sessions[key]
	s.cancel()
	<-s.done
	delete(r.sessions, key)
	delete(r.leases, key)
	delete(r.problems, key)
}

func (r *reconciler) stopAll() {
	for key := range r.sessions {
		r.stop(key)
	}
}

// hostname is what servers are told: the plan's name at the time of each exchange, but not the name that every machine has which
// was given none.
func (r *reconciler) hostname() string {
	desired, _ := r.machine.Desired.Get()
	if desired.Hostname == plan.DefaultHostname {
		return ""
	}
	return domain(desired.Hostname)
}
