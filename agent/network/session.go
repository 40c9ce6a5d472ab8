package network

import "time"

// action is what a session does next.
type action string

const (
	acquire action = "acquire" // DISCOVER/OFFER/REQUEST/ACK, or SOLICIT and so on
	renew   action = "renew"   // ask the server that granted the lease
	rebind  action = "rebind"  // ask any server
	expire  action = "expire"  // the lease is over
)

// step is an action, when it is due, and when it must be over.
type step struct {
	action action
	at     time.Time
	until  time.Time
	// first is the time after which the first message is sent again; it doubles with each.
	first time.Duration
}

const (
	// firstRetransmit at the first try. RFC 2131 section 4.1 has 4 s, which a boot that lost one packet would wait in full.
	firstRetransmit = 500 * time.Millisecond
	laterRetransmit = 4 * time.Second
	// acquireTime bounds one try: 500 ms doubled six times is 63.5 s.
	acquireTime = 64 * time.Second
	// renewTime bounds one renewal, renewEvery is the least time between two (RFC 2131, section 4.4.5).
	renewTime  = 10 * time.Second
	renewEvery = 60 * time.Second
	backoffMax = 64 * time.Second
)

// session is the life of one link's lease, of either protocol (RFC 2131 figure 5; RFC 8415 section 18.2). It is a value and has no
// clock of its own. The zero session has no lease and begins at once.
type session struct {
	lease Lease
	has   bool
	// failures since the last answer.
	failures int
	// again is the earliest moment of the next try.
	again time.Time
	// verify: the link was away; ask whether the lease still holds before T1.
	verify bool
}

// next returns what to do now or later.
func (s session) next(now time.Time) step {
	if !s.has {
		first := firstRetransmit
		if s.failures > 0 {
			first = laterRetransmit
		}
		at := latest(now, s.again)
		return step{acquire, at, at.Add(acquireTime), first}
	}
	t1, t2, end := s.lease.Start.Add(s.lease.Renew), s.lease.Start.Add(s.lease.Rebind), s.lease.Start.Add(s.lease.Expiry)
	at := latest(now, s.again)
	switch {
	case !now.Before(end):
		return step{expire, now, now, 0}
	case s.verify:
		return step{rebind, at, earliest(at.Add(renewTime), end), firstRetransmit}
	case latest(at, t1).Before(t2):
		at = latest(at, t1)
		return step{renew, at, earliest(at.Add(renewTime), t2), laterRetransmit}
	case latest(at, t2).Before(end):
		at = latest(at, t2)
		return step{rebind, at, earliest(at.Add(renewTime), end), laterRetransmit}
	}
	return step{expire, end, end, 0}
}

// granted is the session after an answer.
func (s session) granted(l Lease) session {
	return session{lease: l, has: true}
}

// refused is the session after a server said no, or after the lease ended.
func (s session) refused(now time.Time) session {
	return session{failures: s.failures + 1, again: now.Add(backoff(s.failures))}
}

// ended is the session whose lease ran out: begin anew at once.
func (s session) ended() session { return session{failures: 1} }

// silent is the session after nobody answered. With a lease, half of what is left until the next state is waited, at least a minute
// (RFC 2131, section 4.4.5).
func (s session) silent(now time.Time) session {
	if !s.has {
		return s.refused(now)
	}
	left := s.lease.Start.Add(s.lease.Rebind).Sub(now)
	if left <= 0 {
		left = s.lease.Start.Add(s.lease.Expiry).Sub(now)
	}
	if s.verify {
		left = 0 // T1 may be near
	}
	s.failures++
	s.verify = false
	s.again = now.Add(max(left/2, renewEvery))
	return s
}

// returned is the session after its link lost its carrier and found it again: it may be on another network now.
func (s session) returned() session {
	s.again = time.Time{}
	s.verify = s.has
	return s
}

// backoff after n failures: 1 s doubled up to 64 s.
func backoff(n int) time.Duration {
	return min(time.Second<<min(n, 6), backoffMax)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
