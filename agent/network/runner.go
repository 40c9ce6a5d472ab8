package network

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errRefused: the server said that the address is not ours (DHCPNAK, or a DHCPv6 status).
var errRefused = errors.New("the server refused the lease")

// exchanger speaks one DHCP protocol. Each method is one exchange within ctx; first is when to send the first message again.
type exchanger interface {
	Acquire(ctx context.Context, l target, first time.Duration) (Lease, error)
	Renew(ctx context.Context, l target, old Lease, first time.Duration) (Lease, error)
	Rebind(ctx context.Context, l target, old Lease, first time.Duration) (Lease, error)
}

// target is the link on which a session runs.
type target struct {
	index    int
	name     string
	mac      string
	hostname string // to be sent; "" for none
	// stateless: only other configuration is asked for (DHCPv6 with O but not M).
	stateless bool
}

// sessionKey names a session.
type sessionKey struct {
	link   int
	family family
}

// update is what a session tells the loop. lease nil: there is none (any more).
type update struct {
	key     sessionKey
	lease   *Lease
	problem string
}

// running is a session's goroutine as its owner, the loop, sees it.
type running struct {
	target target
	cancel context.CancelFunc
	done   chan struct{}
	// returned gets a word when the carrier is back.
	returned chan struct{}
}

// runner drives one session: it waits for each step, does it, and tells the loop.
type runner struct {
	key      sessionKey
	target   target
	exchange exchanger
	hostname func() string
	now      func() time.Time
	after    func(time.Duration) <-chan time.Time
	returned <-chan struct{}
	updates  chan<- update
}

func (r runner) run(ctx context.Context) {
	var s session
	for ctx.Err() == nil {
		next := s.next(r.now())
		if wait := next.at.Sub(r.now()); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-r.returned:
				s = s.returned()
				continue
			case <-r.after(wait):
			}
		}
		s = r.do(ctx, s, next)
	}
}

// do carries one step out.
func (r runner) do(ctx context.Context, s session, next step) session {
	if next.action == expire {
		r.tell(ctx, update{r.key, nil, fmt.Sprintf("%s lease ended without an answer", r.key.family)})
		return s.ended()
	}
	lease, err := r.try(ctx, s.lease, next)
	switch {
	case ctx.Err() != nil:
		return s
	case err == nil:
		r.tell(ctx, update{key: r.key, lease: &lease})
		return s.granted(lease)
	case errors.Is(err, errRefused):
		r.tell(ctx, update{key: r.key, problem: err.Error()})
		return s.refused(r.now())
	case s.has:
		r.tell(ctx, update{r.key, &s.lease, err.Error()})
	default:
		r.tell(ctx, update{r.key, nil, err.Error()})
	}
	return s.silent(r.now())
}

func (r runner) try(ctx context.Context, old Lease, next step) (Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, next.until.Sub(next.at))
	defer cancel()
	t := r.target
	t.hostname = r.hostname()
	switch next.action {
	case renew:
		return r.exchange.Renew(ctx, t, old, next.first)
	case rebind:
		return r.exchange.Rebind(ctx, t, old, next.first)
	}
	return r.exchange.Acquire(ctx, t, next.first)
}

func (r runner) tell(ctx context.Context, u update) {
	select {
	case r.updates <- u:
	case <-ctx.Done():
	}
}
