package clock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// stepThreshold is STEPT of RFC 5905, section 11.3.
const stepThreshold = 128 * time.Millisecond

// queryTimeout bounds one question; maxServers bounds how many are asked in one round.
const (
	queryTimeout = 5 * time.Second
	maxServers   = 5
)

// Answer of one server.
type Answer struct {
	Server string
	// Offset to be added to the system's clock.
	Offset time.Duration
}

// round asks the servers and moves the clock.
func (o Options) round(ctx context.Context, servers []string, synced bool) (state.Clock, result) {
	answers, problems := o.ask(ctx, servers)
	a, ok := choose(answers)
	if !ok {
		return state.Clock{Error: strings.Join(problems, "; ")}, failed
	}
	status := state.Clock{Synchronised: true, Server: a.Server, Offset: a.Offset}
	if synced && a.Offset.Abs() <= stepThreshold {
		if err := o.System.Slew(a.Offset); err != nil {
			return state.Clock{Error: fmt.Sprintf("cannot slew the clock by %s: %v", a.Offset, err)}, failed
		}
		return status, slewed
	}
	if err := o.System.Step(a.Offset); err != nil {
		return state.Clock{Error: fmt.Sprintf("cannot set the clock by %s: %v", a.Offset, err)}, failed
	}
	if err := o.System.WriteRTC(); err != nil {
		status.Error = err.Error()
	}
	return status, stepped
}

// ask asks all servers at the same time and returns what they said, and in words what is wrong with the others.
func (o Options) ask(ctx context.Context, servers []string) (answers []Answer, problems []string) {
	servers = servers[:min(len(servers), maxServers)]
	type reply struct {
		answer Answer
		err    error
	}
	replies := make([]chan reply, len(servers))
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	for i, server := range servers {
		replies[i] = make(chan reply, 1)
		go func() {
			a, err := o.Query(ctx, server)
			replies[i] <- reply{a, err}
		}()
	}
	for i, server := range servers {
		r := <-replies[i]
		if r.err == nil {
			r.err = o.plausible(r.answer)
		}
		if r.err != nil {
			problems = append(problems, fmt.Sprintf("cannot take the time from %q: %v", server, r.err))
			continue
		}
		answers = append(answers, r.answer)
	}
	return answers, problems
}

// plausible refuses an answer that would set the clock before the image was built.
func (o Options) plausible(a Answer) error {
	if t := o.System.Now().Add(a.Offset); t.Before(o.BuildTime) {
		return errors.New("it says " + t.UTC().Format(time.RFC3339) + ", which is before the image's build time")
	}
	return nil
}

// choose returns the answer with the median offset (the lower one of two).
func choose(answers []Answer) (Answer, bool) {
	if len(answers) == 0 {
		return Answer{}, false
	}
	sorted := slices.SortedStableFunc(slices.Values(answers), func(a, b Answer) int { return cmp.Compare(a.Offset, b.Offset) })
	return sorted[(len(sorted)-1)/2], true
}
