package containers

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

func TestManagerStartsReplacesAndStops(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		w.want(container("b"), container("a"))
		all, _ := w.machine.Containers.Get()
		if len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
			t.Fatalf("status %+v, want a and b in this order", all)
		}
		for _, c := range all {
			if c.Phase != state.ContainerRunning || !c.Ready || c.PID != 42 {
				t.Errorf("container %+v does not run", c)
			}
		}
		first := w.engine.task("a")
		changed := container("a")
		changed.Env = []string{"A=b"}
		w.want(changed, container("b"))
		if w.engine.task("a") == first || !slices.Contains(first.signals, syscall.SIGTERM) {
			t.Error("a changed container was not replaced in order")
		}
		if w.status("a").Phase != state.ContainerRunning {
			t.Errorf("the new container is %+v", w.status("a"))
		}
		w.want(container("b"))
		if w.engine.task("a") != nil || w.status("a").Name != "" {
			t.Error("a container that left the document is still there")
		}
		if len(w.engine.task("b").signals) > 0 {
			t.Error("an unchanged container was touched")
		}
	})
}

func TestManagerRestartsWithBackoff(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		w.want(container("a"))
		w.engine.task("a").end(3)
		synctest.Wait()
		s := w.status("a")
		if s.Phase != state.ContainerBackoff || s.ExitCode != 3 || s.Restarts != 1 || s.Reason != "exited with code 3" || s.Ready {
			t.Fatalf("after the exit: %+v", s)
		}
		w.pass(999 * time.Millisecond)
		if w.status("a").Phase != state.ContainerBackoff {
			t.Error("started again too early")
		}
		w.pass(2 * time.Millisecond)
		if w.status("a").Phase != state.ContainerRunning {
			t.Errorf("not started again: %+v", w.status("a"))
		}
	})
}

func TestManagerTellsOutOfMemory(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		c := container("a")
		c.RestartPolicy = "Never"
		w.want(c)
		w.engine.task("a").oom = true
		w.engine.task("a").end(137)
		synctest.Wait()
		if s := w.status("a"); s.Phase != state.ContainerExited || s.Reason != "killed: it needed more memory than its limit" {
			t.Errorf("%+v", s)
		}
	})
}

func TestManagerIsolatesFailures(t *testing.T) {
	e := newFakeEngine()
	e.pullFails["example.com/a:1"] = errors.New("no route to host")
	inWorld(t, e, func(w world) {
		broken := container("broken")
		broken.Baked, broken.Image = false, "example.com/a:1"
		w.want(container("good"), broken)
		if s := w.status("broken"); s.Phase != state.ContainerFailed || s.Reason != "no route to host" || s.NextStart.IsZero() {
			t.Errorf("broken: %+v", s)
		}
		if s := w.status("good"); s.Phase != state.ContainerRunning {
			t.Errorf("good: %+v", s)
		}
		e.mu.Lock()
		delete(e.pullFails, "example.com/a:1")
		e.mu.Unlock()
		w.pass(time.Second + time.Millisecond)
		if s := w.status("broken"); s.Phase != state.ContainerRunning {
			t.Errorf("the pull was not tried again: %+v", s)
		}
	})
}

func TestManagerAdoptsWhatRuns(t *testing.T) {
	e := newFakeEngine()
	c := container("a")
	running := &fakeTask{engine: e, hash: specify(plan.Desired{Containers: []plan.Container{c}})["a"].hash(), ended: make(chan struct{})}
	e.tasks["a"] = running
	inWorld(t, e, func(w world) {
		running.ended = make(chan struct{})
		w.want(c)
		if w.engine.task("a") != running || len(e.starts) > 0 || w.status("a").Phase != state.ContainerRunning {
			t.Errorf("the running container was not adopted: %+v", w.status("a"))
		}
	})
}

func TestManagerRemovesOrphansOnlyUnderADocument(t *testing.T) {
	e := newFakeEngine()
	inWorld(t, e, func(w world) {
		e.tasks["old"] = &fakeTask{engine: e, ended: make(chan struct{})}
		w.machine.Desired.Set(plan.Desired{})
		w.pass(time.Minute)
		if e.task("old") == nil {
			t.Fatal("the empty plan of the boot removed a container")
		}
		w.want(container("a"))
		w.pass(orphanDelay + time.Second)
		if e.task("old") != nil || e.task("a") == nil {
			t.Error("the orphan stays, or more went with it")
		}
		w.pass(2 * time.Hour)
		if len(e.collected) == 0 {
			t.Error("images were never looked at")
		}
	})
}

// A container that leaves the document keeps its grace period: the search for orphans leaves it alone, and one that comes back under its name waits.
func TestManagerLeavesTheEndingTheirTime(t *testing.T) {
	e := newFakeEngine()
	inWorld(t, e, func(w world) {
		slow := container("slow")
		slow.GracePeriod = time.Minute
		w.want(slow)
		first := e.task("slow")
		e.mu.Lock()
		e.stubborn = true
		e.mu.Unlock()
		w.want()
		w.pass(30 * time.Second)
		if e.task("slow") != first || !slices.Equal(first.signals, []syscall.Signal{syscall.SIGTERM}) {
			t.Fatalf("after half of its grace period: signals %v", first.signals)
		}
		slow.Args = []string{"anew"}
		w.want(slow)
		if e.task("slow") != first {
			t.Fatal("its successor did not wait")
		}
		w.pass(31 * time.Second)
		if second := e.task("slow"); second == nil || second == first || w.status("slow").Phase != state.ContainerRunning {
			t.Errorf("its successor does not run: %+v", w.status("slow"))
		}
		e.mu.Lock()
		e.stubborn = false
		e.mu.Unlock()
	})
}

func TestManagerStopsInParallelAndKillsTheStubborn(t *testing.T) {
	e := newFakeEngine()
	inWorld(t, e, func(w world) {
		a, b := container("a"), container("b")
		w.want(a, b)
		ta, tb := e.task("a"), e.task("b")
		e.mu.Lock()
		e.stubborn = true
		e.mu.Unlock()
		if took := w.stop(); took != 10*time.Second {
			t.Errorf("stopping took %v, want the grace period once", took)
		}
		for _, task := range []*fakeTask{ta, tb} {
			if !slices.Equal(task.signals, []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}) {
				t.Errorf("signals %v", task.signals)
			}
		}
	})
}

func TestManagerShutdownHasADeadline(t *testing.T) {
	e := newFakeEngine()
	inWorld(t, e, func(w world) {
		c := container("a")
		c.GracePeriod = time.Hour
		w.want(c)
		e.mu.Lock()
		e.stubborn = true
		e.mu.Unlock()
		if took := w.stop(); took > 20*time.Second {
			t.Errorf("stopping took %v, more than the 20 s it may", took)
		}
	})
}

func TestLivenessProbeRestarts(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		c := container("a")
		// Nothing listens on port 0 of an address that cannot be.
		c.Liveness = &plan.Probe{TCP: "127.0.0.1:0", Period: time.Second, Timeout: time.Second, FailureThreshold: 2, SuccessThreshold: 1}
		w.want(c)
		w.pass(1100 * time.Millisecond)
		if s := w.status("a"); s.Phase != state.ContainerBackoff || s.Restarts != 1 {
			t.Errorf("%+v, want a restart because of the probe", s)
		}
	})
}

func TestManagerRestartsWhatNobodySawEnding(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		w.want(container("a"))
		w.engine.task("a").waitErr = errors.New("ttrpc: closed")
		w.engine.task("a").end(0)
		synctest.Wait()
		if s := w.status("a"); s.Phase != state.ContainerBackoff || s.ExitCode != codeUnknown {
			t.Errorf("%+v", s)
		}
		if !slices.Contains(w.engine.removed, "a") {
			t.Error("what is left of it was not removed")
		}
	})
}
