package containers

import (
	"fmt"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// Restart policies of the document.
const (
	restartAlways    = "Always"
	restartOnFailure = "OnFailure"
)

const (
	backoffFirst = time.Second
	backoffMost  = 5 * time.Minute
	// backoffReset is how long a container must run to be forgiven.
	backoffReset = 10 * time.Minute
)

// lifecycle is where one container stands. It is a value: each event returns the next one, and nothing here waits or acts.
//
//	waiting -> [pulling ->] starting -> running -> backoff -> starting ...
//	              |            |           +-----> exited (by its policy)
//	              +------------+---------------> failed -> starting ...
type lifecycle struct {
	phase     state.ContainerPhase
	policy    string
	backoff   time.Duration // the last one waited; 0: none
	restarts  int
	exitCode  int
	reason    string
	startedAt time.Time
	nextStart time.Time
}

func newLifecycle(policy string) lifecycle {
	return lifecycle{phase: state.ContainerWaiting, policy: policy}
}

// step enters a phase that needs no decision: waiting, pulling, starting. The last reason stays visible until the container runs.
func (l lifecycle) step(phase state.ContainerPhase) lifecycle {
	l.phase = phase
	return l
}

// started: the container runs.
func (l lifecycle) started(now time.Time) lifecycle {
	l.phase, l.reason = state.ContainerRunning, ""
	l.startedAt, l.nextStart = now, time.Time{}
	return l
}

// exited: the container ran and ended; why replaces the usual words for the exit code.
func (l lifecycle) exited(now time.Time, code int, why string) lifecycle {
	l.exitCode, l.reason = code, why
	if why == "" {
		l.reason = exitReason(code)
	}
	if l.policy == restartAlways || l.policy == restartOnFailure && code != 0 {
		if now.Sub(l.startedAt) >= backoffReset {
			l.backoff = 0
		}
		l.phase = state.ContainerBackoff
		l.restarts++
		return l.delay(now)
	}
	l.phase = state.ContainerExited
	return l
}

// stopped: the agent ended the container, and nothing starts it again.
func (l lifecycle) stopped(code int) lifecycle {
	l.phase, l.exitCode, l.reason, l.nextStart = state.ContainerExited, code, "stopped", time.Time{}
	return l
}

// restarted: somebody asked for a new start, which comes at once and whatever the policy says.
func (l lifecycle) restarted(now time.Time, code int) lifecycle {
	l.phase, l.exitCode, l.reason = state.ContainerBackoff, code, "restarted on request"
	l.backoff, l.nextStart = 0, now
	l.restarts++
	return l
}

// failed: the container could not be started. That is tried again whatever the policy says: it did not run.
func (l lifecycle) failed(now time.Time, err error) lifecycle {
	l.phase, l.reason = state.ContainerFailed, err.Error()
	return l.delay(now)
}

func (l lifecycle) delay(now time.Time) lifecycle {
	l.backoff = min(max(2*l.backoff, backoffFirst), backoffMost)
	l.nextStart = now.Add(l.backoff)
	return l
}

// over tells whether nothing more happens by itself.
func (l lifecycle) over() bool { return l.phase == state.ContainerExited }

func exitReason(code int) string {
	switch {
	case code == 0:
		return "exited"
	case code == 137:
		return "killed by SIGKILL (exit code 137)"
	case code == 139:
		return "killed by SIGSEGV (exit code 139)"
	case code > 128 && code < 160:
		return fmt.Sprintf("killed by signal %d (exit code %d)", code-128, code)
	default:
		return fmt.Sprintf("exited with code %d", code)
	}
}
