package containers

import (
	"errors"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/state"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestLifecycleAfterAnExit(t *testing.T) {
	tests := []struct {
		name   string
		policy string
		code   int
		ran    time.Duration
		before time.Duration // the last backoff
		phase  state.ContainerPhase
		wait   time.Duration
	}{
		{"Always, success", "Always", 0, time.Second, 0, state.ContainerBackoff, time.Second},
		{"Always, failure", "Always", 1, time.Second, 0, state.ContainerBackoff, time.Second},
		{"OnFailure, success", "OnFailure", 0, time.Second, 0, state.ContainerExited, 0},
		{"OnFailure, failure", "OnFailure", 1, time.Second, 0, state.ContainerBackoff, time.Second},
		{"Never, failure", "Never", 1, time.Second, 0, state.ContainerExited, 0},
		{"backoff doubles", "Always", 1, time.Second, 8 * time.Second, state.ContainerBackoff, 16 * time.Second},
		{"backoff has an end", "Always", 1, time.Second, 4 * time.Minute, state.ContainerBackoff, 5 * time.Minute},
		{"a short run forgives nothing", "Always", 1, 10*time.Minute - 1, 8 * time.Second, state.ContainerBackoff, 16 * time.Second},
		{"a long run forgives all", "Always", 1, 10 * time.Minute, 5 * time.Minute, state.ContainerBackoff, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLifecycle(tt.policy)
			l.backoff = tt.before
			end := epoch.Add(tt.ran)
			l = l.started(epoch).exited(end, tt.code, "")
			if l.phase != tt.phase {
				t.Fatalf("phase %q, want %q", l.phase, tt.phase)
			}
			if l.phase == state.ContainerBackoff && l.nextStart.Sub(end) != tt.wait {
				t.Errorf("next start after %v, want %v", l.nextStart.Sub(end), tt.wait)
			}
			if (l.restarts == 1) != (tt.phase == state.ContainerBackoff) {
				t.Errorf("%d restarts in phase %q", l.restarts, l.phase)
			}
		})
	}
}

// What the agent ended itself stays so under every policy, and is no restart.
func TestLifecycleStopped(t *testing.T) {
	for _, policy := range []string{"Always", "OnFailure", "Never"} {
		l := newLifecycle(policy).started(epoch).stopped(143)
		if l.phase != state.ContainerExited || l.reason != "stopped" || l.exitCode != 143 || l.restarts != 0 || !l.nextStart.IsZero() {
			t.Errorf("%s: %+v", policy, l)
		}
	}
}

func TestLifecycleFailureIsTriedAgainUnderEveryPolicy(t *testing.T) {
	for _, policy := range []string{"Always", "OnFailure", "Never"} {
		l := newLifecycle(policy)
		for _, want := range []time.Duration{1, 2, 4, 8} {
			l = l.step(state.ContainerPulling).failed(epoch, errors.New("no route"))
			if l.phase != state.ContainerFailed || l.reason != "no route" || l.nextStart.Sub(epoch) != want*time.Second {
				t.Fatalf("%s: %+v, want a start after %d s", policy, l, want)
			}
		}
		if l = l.started(epoch); l.reason != "" || l.restarts != 0 {
			t.Errorf("%s: a start leaves %+v", policy, l)
		}
	}
}

func TestExitReason(t *testing.T) {
	for code, want := range map[int]string{0: "exited", 3: "exited with code 3", 137: "killed by SIGKILL (exit code 137)", 143: "killed by signal 15 (exit code 143)"} {
		if got := exitReason(code); got != want {
			t.Errorf("code %d: %q, want %q", code, got, want)
		}
	}
}
