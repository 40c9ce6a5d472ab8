package clock

import "time"

// Intervals between polls. RFC 5905 section 7.2 allows 16 s to 36 h; section 14 asks SNTP clients not to poll faster than once in
// 15 s for long, so the fast start ends after a few tries.
const (
	retryFirst = time.Second
	retryMax   = 64 * time.Second
	pollFirst  = 64 * time.Second
	pollMax    = 2048 * time.Second
)

// result of one round.
type result int

const (
	failed  result = iota // no usable answer
	slewed                // the clock was nearly right
	stepped               // the clock was wrong
)

// poll decides when to ask again. The zero poll is a machine that never asked.
type poll struct {
	// synced: some answer was taken since the start.
	synced   bool
	last     result
	interval time.Duration
}

// after returns the poll that follows a round: retries double from 1 s to 64 s, polls from 64 s to 2048 s; a step starts over,
// because a clock that had to be stepped is one that runs badly.
func (p poll) after(r result) poll {
	first, most := pollFirst, pollMax
	if r == failed {
		first, most = retryFirst, retryMax
	}
	next := poll{synced: p.synced || r != failed, last: r, interval: first}
	sameSeries := p.interval > 0 && (p.last == failed) == (r == failed)
	if sameSeries && r != stepped {
		next.interval = min(2*p.interval, most)
	}
	return next
}
