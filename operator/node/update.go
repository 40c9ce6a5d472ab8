package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"connectrpc.com/connect"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
)

// Stage stages a version (empty: the newest) from the machine's own repository, or from r where r is not nil. It returns the staged version.
func (c *Client) Stage(ctx context.Context, version string, r *Repository, progress func(*nodev1.Progress)) (string, error) {
	staged := version
	note := func(p *nodev1.Progress) {
		if p.GetVersion() != "" {
			staged = p.GetVersion()
		}
		progress(p)
	}
	if r != nil {
		return staged, c.Push(ctx, r, version, note)
	}
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	stream, err := c.Updates.Stage(ctx, connect.NewRequest(&nodev1.StageUpdateRequest{Version: version}))
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var lock sync.Mutex
	watching.Go(func() {
		c.troubles(ctx, func(text string) {
			lock.Lock()
			defer lock.Unlock()
			progress(&nodev1.Progress{Phase: text})
		})
	})
	for stream.Receive() {
		lock.Lock()
		note(stream.Msg().Progress)
		lock.Unlock()
	}
	return staged, stream.Err()
}

// troubleEvery is how often a machine that stages is asked what keeps it.
const troubleEvery = 5 * time.Second

// troubles tells what keeps a staging from going on, until ctx is over: the machine tries again by itself, and its stream carries progress alone.
func (c *Client) troubles(ctx context.Context, tell func(string)) {
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(troubleEvery):
		}
		s, err := c.status(ctx)
		if u := s.GetUpdate(); err == nil && u.GetActivity() == "staging" && u.GetError() != told {
			if told = u.GetError(); told != "" {
				tell("it tries again: " + told)
			}
		}
	}
}

// Interrupted says what a Ctrl-C in the middle of a staging has left behind; other errors stay what they are.
func (c *Client) Interrupted(ctx context.Context, err error, pushed bool) error {
	if ctx.Err() == nil {
		return err
	}
	next := "the machine goes on staging; the same command joins it, and this ends it: stele node update cancel --node " + c.Name
	if pushed {
		next = "what has been sent stays in the machine's other slot; the same command goes on from there"
	}
	return hint.New(fmt.Errorf("node %q: interrupted", c.Name), next)
}

// pollEvery is how often a machine that is restarting is asked.
const pollEvery = 2 * time.Second

// Waiting says where a machine stands on its way to a version.
type Waiting struct {
	// Phase is "restarting", "probation", "back" or "committed".
	Phase string
	// Text for people.
	Text string
}

// WaitCommitted polls until the machine has committed the version, or is back on another one; that is a *RolledBackError. before is the
// boot from which the restart was asked for.
func (c *Client) WaitCommitted(ctx context.Context, version, before string, tell func(Waiting)) error {
	for {
		status, err := c.status(ctx)
		w, done, failed := judge(c.Name, version, before, status, err)
		tell(w)
		if done || failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if errors.Is(cause, context.Canceled) {
				cause = errors.New("interrupted")
			}
			return hint.New(fmt.Errorf("node %q has not committed %s yet: %w", c.Name, version, cause), "the machine goes on by itself: stele node status --node "+c.Name)
		case <-time.After(pollEvery):
		}
	}
}

func (c *Client) status(ctx context.Context) (*nodev1.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return Ask(ctx, c.Machine.Status, &nodev1.StatusRequest{})
}

// RolledBackError says that a machine did not keep the version it was given.
type RolledBackError struct{ Node, Version, Running, Reason string }

func (e *RolledBackError) Error() string {
	return fmt.Sprintf("node %q is back on %s: %s was not kept: %s", e.Node, e.Running, e.Version, e.Reason)
}

// judge decides what an answer (or its absence) means.
func judge(name, version, before string, s *nodev1.StatusResponse, err error) (w Waiting, done bool, failed error) {
	if err != nil {
		return Waiting{"restarting", "no answer yet"}, false, nil
	}
	boots := s.GetBoots()
	if len(boots) == 0 || boots[0].GetId() == before {
		return Waiting{"restarting", "going down"}, false, nil
	}
	running := s.GetRunning()
	if running.GetVersion() != version {
		return Waiting{Phase: "back"}, true, &RolledBackError{name, version, running.GetVersion(), why(version, boots)}
	}
	if running.GetCommitted() {
		return Waiting{"committed", version}, true, nil
	}
	return Waiting{"probation", gatesText(s.GetUpdate().GetGates())}, false, nil
}

func why(version string, boots []*nodev1.Boot) string {
	for _, b := range boots {
		if b.GetVersion() == version && b.GetReason() != "" {
			return b.GetReason()
		}
	}
	return "it did not say why"
}

func gatesText(gates []*nodev1.Gate) string {
	held := 0
	waiting := ""
	for _, g := range gates {
		if g.GetState() == "held" {
			held++
		} else if waiting == "" {
			waiting = ", waiting for " + g.GetName() + ": " + g.GetReason()
		}
	}
	return fmt.Sprintf("%d of %d gates hold%s", held, len(gates), waiting)
}
