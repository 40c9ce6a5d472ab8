package config

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

func TestTrialEndsAtItsDeadline(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		result := n.apply(document("tried"), time.Minute)
		d := n.expect("begun", state.DocumentApplied, "tried", "API")
		if d.RevertAt.IsZero() || !d.RevertAt.Equal(result.RevertAt) || d.Warnings != nil {
			t.Errorf("%+v, %+v", d, result)
		}
		n.keeps(lastGoodFile, trialFile)
		n.pass(59 * time.Second)
		n.expect("shortly before", state.DocumentApplied, "tried", "API")
		n.pass(2 * time.Second)
		d = n.expect("over", state.DocumentApplied, "metadata", "test")
		if !d.RevertAt.IsZero() || len(d.Warnings) != 1 || !strings.HasSuffix(d.Warnings[0], "nobody confirmed it in time") {
			t.Errorf("%+v", d)
		}
		n.keeps(lastGoodFile)
		n.fails("too late", n.Confirm(n.t.Context(), "CN=alice", ""), fault.Precondition)
	})
}

func TestTrialConfirmed(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("tried"), time.Minute)
		n.fails("another digest", n.Confirm(n.t.Context(), "CN=alice", digest(nil)), fault.Aborted)
		if err := n.Confirm(n.t.Context(), "CN=alice", digest(document("tried"))); err != nil {
			t.Fatal(err)
		}
		n.keeps(apiFile, lastGoodFile)
		n.pass(time.Hour)
		if d := n.expect("long after", state.DocumentApplied, "tried", "API"); !d.RevertAt.IsZero() {
			t.Errorf("%+v", d)
		}
		n.boot(noMetadata...)
		n.expect("next boot", state.DocumentApplied, "tried", "API")
	})
}

func TestTrialReverted(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("api"), 0)
		n.apply(document("tried"), time.Minute)
		got, err := n.Revert(n.t.Context(), "CN=bob", server.RevertRequest{MayChangeCAs: true})
		if err != nil || got != digest(document("api")) {
			t.Errorf("%s, %v", got, err)
		}
		if d := n.expect("reverted", state.DocumentApplied, "api", "API"); len(d.Warnings) != 1 || !strings.HasSuffix(d.Warnings[0], "CN=bob reverted it") {
			t.Errorf("%q", d.Warnings)
		}
		n.keeps(apiFile, lastGoodFile)
	})
}

func TestTrialEndsWithItsBoot(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("api"), 0)
		n.apply(document("tried"), 24*time.Hour)
		n.boot(noMetadata...)
		if d := n.expect("next boot", state.DocumentApplied, "api", "API"); len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "not confirmed before the restart") {
			t.Errorf("%q", d.Warnings)
		}
		n.keeps(apiFile, lastGoodFile)
		n.boot(noMetadata...)
		if d := n.expect("the boot after", state.DocumentApplied, "api", "API"); d.Warnings != nil {
			t.Errorf("%q", d.Warnings)
		}
	})
}

// The power went between the two records of a confirmation: it counts, and nobody is told otherwise.
func TestTrialConfirmedByHalf(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("tried"), time.Hour)
		record, err := n.options.Store.Read("b", trialFile, maxRecordBytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.options.Store.Write("b", apiFile, record); err != nil {
			t.Fatal(err)
		}
		n.boot(noMetadata...)
		if d := n.expect("next boot", state.DocumentApplied, "tried", "API"); d.Warnings != nil || !d.RevertAt.IsZero() {
			t.Errorf("%+v", d)
		}
		n.keeps(apiFile, lastGoodFile)
	})
}

func TestTrialEndsWithItsManager(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("tried"), time.Hour)
		n.stop()
		n.run()
		n.expect("started again", state.DocumentApplied, "metadata", "test")
		n.keeps(lastGoodFile)
	})
}

// The record's times come from a clock that jumps; the deadline does not.
func TestTrialIgnoresClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-100 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		inNode(t, fromMetadata, func(n *node) {
			n.options.Now = func() time.Time { return time.Now().Add(jump) }
			n.boot(fromMetadata...)
			n.apply(document("tried"), time.Minute)
			n.pass(59 * time.Second)
			n.expect("shortly before", state.DocumentApplied, "tried", "API")
			n.pass(2 * time.Second)
			n.expect("over", state.DocumentApplied, "metadata", "test")
		})
	}
}

// The last word counts: a further trial begins anew, and falls back to the same document; one applied for good ends the trial.
func TestTrialReplaced(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("first"), time.Minute)
		n.pass(50 * time.Second)
		n.apply(document("second"), time.Minute)
		n.pass(50 * time.Second)
		n.expect("the second one's time", state.DocumentApplied, "second", "API")
		n.pass(20 * time.Second)
		n.expect("over", state.DocumentApplied, "metadata", "test")
		n.apply(document("third"), time.Minute)
		n.apply(document("fourth"), 0)
		n.pass(time.Hour)
		n.expect("for good", state.DocumentApplied, "fourth", "API")
		n.keeps(apiFile, lastGoodFile)
	})
}

// Where no document was in force a trial ends in the plan of the boot.
func TestTrialWithNothingBeforeIt(t *testing.T) {
	inNode(t, noMetadata, func(n *node) {
		n.apply(document("tried"), time.Minute)
		n.pass(61 * time.Second)
		n.expect("over", state.DocumentMissing, "stele", "")
	})
}

// A record that cannot be kept means no trial.
func TestTrialNeedsItsRecord(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		// A directory in the record's place.
		if err := n.options.Store.Write("b", trialFile+"/x", nil); err != nil {
			t.Fatal(err)
		}
		_, err := n.Apply(n.t.Context(), "CN=alice", server.DocumentRequest{Document: document("tried"), TryFor: time.Minute})
		n.fails("apply", err, fault.Unavailable)
		n.expect("afterwards", state.DocumentApplied, "metadata", "test")
	})
}

func TestCallsWithoutALoop(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.stop()
		ctx, cancel := context.WithTimeout(n.t.Context(), time.Second)
		defer cancel()
		_, err := n.Apply(ctx, "CN=alice", server.DocumentRequest{Document: document("api")})
		n.fails("apply", err, fault.Unavailable)
		n.run()
	})
}

// A panic while a caller waits ends the loop, not the caller's patience.
func TestCallThatPanics(t *testing.T) {
	m := NewManager(&state.Machine{}, Options{})
	c := &call{do: func(*runner) error { panic("boom") }, done: make(chan struct{})}
	func() {
		defer func() { _ = recover() }()
		c.answer(m.runner)
	}()
	<-c.done
	if c.err == nil {
		t.Error("no error")
	}
}
