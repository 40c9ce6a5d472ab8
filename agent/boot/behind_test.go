package boot

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

func TestBegun(t *testing.T) {
	in := func(phases ...state.ContainerPhase) (list []state.Container) {
		for _, p := range phases {
			list = append(list, state.Container{Phase: p})
		}
		return list
	}
	again := []state.Container{{Phase: state.ContainerStarting, Restarts: 1}}
	for _, c := range []struct {
		name     string
		document state.DocumentPhase
		wanted   int
		list     []state.Container
		want     bool
	}{
		{"no document yet", "", 0, nil, false},
		{"still asking for it", state.DocumentWaiting, 0, nil, false},
		{"none wanted", state.DocumentApplied, 0, nil, true},
		{"none will come", state.DocumentMissing, 0, nil, true},
		{"wanted, not seen", state.DocumentApplied, 1, nil, false},
		{"one is on its way", state.DocumentApplied, 2, in(state.ContainerRunning, state.ContainerStarting), false},
		{"waits for the runtime", state.DocumentApplied, 1, in(state.ContainerWaiting), false},
		{"waits for a registry", state.DocumentApplied, 1, in(state.ContainerPulling), true},
		{"runs or failed", state.DocumentLastGood, 2, in(state.ContainerRunning, state.ContainerFailed), true},
		{"not its first start", state.DocumentApplied, 1, again, true},
	} {
		if got := begun(c.document, c.wanted, c.list); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// TestBehindContainers: a manager that stands back runs when the containers have begun, at the latest after the limit, and at once when it
// starts again.
func TestBehindContainers(t *testing.T) {
	for name, c := range map[string]struct {
		runs time.Duration // when the container does; 0: never
		want time.Duration
	}{"containers begin": {2 * time.Second, 2 * time.Second}, "they do not": {0, behindLimit}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent()
				a.machine.Desired.Set(plan.Desired{Containers: make([]plan.Container, 1)})
				a.machine.Document.Set(state.Document{Phase: state.DocumentApplied})
				a.machine.Containers.Set([]state.Container{{Phase: state.ContainerStarting}})
				if c.runs > 0 {
					time.AfterFunc(c.runs, func() { a.machine.Containers.Set([]state.Container{{Phase: state.ContainerRunning}}) })
				}
				begin := time.Now()
				run := a.behindContainers(func(context.Context) error { return nil })
				for range 2 {
					if err := run(t.Context()); err != nil || time.Since(begin) != c.want {
						t.Errorf("after %s: %v", time.Since(begin), err)
					}
				}
				time.Sleep(2 * behindLimit)
			})
		})
	}
}
