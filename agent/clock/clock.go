// Package clock keeps the system's time: never before the image's build time, and right by SNTP (RFC 5905, section 14) once the
// machine is online.
//
// The first good answer steps the clock, whatever the offset: nothing on the machine has a reason to trust the time before that.
// Later an offset above 128 ms (STEPT, RFC 5905 section 11.3) steps, a smaller one is slewed by the kernel. Of several servers the
// one with the median offset is believed, so that one liar among three does no harm. An answer before the build time is refused.
// Nobody disciplines the clock's frequency here: a full NTP client would hold microseconds where certificates and logs need
// seconds, at the price of being the largest part of the agent that listens to strangers.
//
// The plan's servers are asked, else those that DHCP told. Without either the clock is the RTC's: Synchronised stays false and
// Error says why. Whether to wait for the time is decided by those who need it (agent/containers for certificates).
package clock

import (
	"context"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// Options of Run. The zero value, but for BuildTime, is the running machine.
type Options struct {
	// BuildTime of the image; answers before it are refused.
	BuildTime time.Time
	// System is the clock that is kept. Nil: the machine's.
	System System
	// Query asks one server. Nil: SNTP.
	Query func(ctx context.Context, server string) (Answer, error)
	// After is time.After. Nil: real time.
	After func(time.Duration) <-chan time.Time
}

// System is a clock that can be set.
type System interface {
	Now() time.Time
	// Step moves the clock by offset at once.
	Step(offset time.Duration) error
	// Slew moves it by offset little by little.
	Slew(offset time.Duration) error
	// WriteRTC stores the clock in the machine's battery-backed one.
	WriteRTC() error
}

// Run keeps the clock until ctx ends.
func Run(ctx context.Context, m *state.Machine, o Options) error {
	o = o.filled()
	p := poll{}
	for ctx.Err() == nil {
		in := watch(m)
		if reason := in.idleReason(); reason != "" {
			p = poll{synced: p.synced}
			if !p.synced { // a clock that was right does not become wrong because a cable was pulled
				publish(m, state.Clock{Error: reason})
			}
			in.wait(ctx, nil)
			continue
		}
		status, result := o.round(ctx, in.servers, p.synced)
		if ctx.Err() != nil {
			break
		}
		p = p.after(result)
		if result != failed || !p.synced {
			publish(m, status)
		}
		o.rest(ctx, m, in.servers, p.interval)
	}
	return nil
}

// rest waits until the next poll is due, or other servers are to be asked.
func (o Options) rest(ctx context.Context, m *state.Machine, servers []string, d time.Duration) {
	due := o.After(d)
	for ctx.Err() == nil {
		in := watch(m)
		if !in.online || !slices.Equal(in.servers, servers) || in.wait(ctx, due) {
			return
		}
	}
}

// publish stores the status if it differs, so that nobody is woken for nothing.
func publish(m *state.Machine, s state.Clock) {
	if old, set := m.Clock.Get(); !set || old != s {
		m.Clock.Set(s)
	}
}
