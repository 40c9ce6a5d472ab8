package containers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
)

func TestRestart(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		w.want(container("a"), container("b"))
		first, other := w.engine.task("a"), w.engine.task("b")
		if err := w.control.Restart(context.Background(), "a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s := w.status("a")
		if s.Phase != state.ContainerRunning || s.Restarts != 1 || w.engine.task("a") == first || !slices.Equal(first.signals, []syscall.Signal{syscall.SIGTERM}) {
			t.Errorf("%+v, signals %v", s, first.signals)
		}
		if w.engine.task("b") != other || len(other.signals) > 0 {
			t.Error("another container was touched")
		}
		if err := w.control.Restart(context.Background(), "c"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown: %v", err)
		}
	})
}

// The restart policy and a long backoff are about ends that nobody asked for.
func TestRestartWhateverThePolicy(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		once, failing := container("once"), container("failing")
		once.RestartPolicy = "Never"
		w.want(once, failing)
		w.engine.task("once").end(0)
		for range 6 {
			w.pass(time.Minute)
			w.engine.task("failing").end(1)
			synctest.Wait()
		}
		if a, b := w.status("once"), w.status("failing"); a.Phase != state.ContainerExited || b.Phase != state.ContainerBackoff {
			t.Fatalf("%+v, %+v", a, b)
		}
		for _, name := range []string{"once", "failing"} {
			before := w.status(name).Restarts
			if err := w.control.Restart(context.Background(), name); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if s := w.status(name); s.Phase != state.ContainerRunning || s.Restarts != before+1 {
				t.Errorf("%+v", s)
			}
		}
		w.engine.task("failing").end(1)
		synctest.Wait()
		if s := w.status("failing"); time.Until(s.NextStart) != backoffFirst {
			t.Errorf("the backoff was not forgotten: %+v", s)
		}
	})
}

func TestRestartKeepsTheGracePeriod(t *testing.T) {
	e := newFakeEngine()
	inWorld(t, e, func(w world) {
		w.want(container("a"))
		first := e.task("a")
		e.mu.Lock()
		e.stubborn = true
		e.mu.Unlock()
		began := time.Now()
		leaving, leave := context.WithTimeout(context.Background(), time.Second)
		defer leave()
		if err := w.control.Restart(leaving, "a"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("who leaves: %v", err)
		}
		if err := w.control.Restart(context.Background(), "a"); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 10*time.Second || !slices.Equal(first.signals, []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}) {
			t.Errorf("it took %v, signals %v", took, first.signals)
		}
		synctest.Wait()
		if s := w.status("a"); s.Restarts != 1 || s.Phase != state.ContainerRunning {
			t.Errorf("two askers, one restart: %+v", s)
		}
		e.mu.Lock()
		e.stubborn = false
		e.mu.Unlock()
	})
}

// A container that cannot be started is tried again at once; who asked is told when that begins.
func TestRestartOfWhatCannotStart(t *testing.T) {
	e := newFakeEngine()
	e.pullFails["example.com/a:1"] = errors.New("no route to host")
	inWorld(t, e, func(w world) {
		broken := container("a")
		broken.Baked, broken.Image = false, "example.com/a:1"
		w.want(broken)
		w.pass(time.Minute)
		e.mu.Lock()
		delete(e.pullFails, "example.com/a:1")
		e.mu.Unlock()
		if err := w.control.Restart(context.Background(), "a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := w.status("a"); s.Phase != state.ContainerRunning {
			t.Errorf("%+v", s)
		}
	})
}

func TestRestartOfWhatLeavesTheDocument(t *testing.T) {
	e := newFakeEngine()
	inWorld(t, e, func(w world) {
		w.want(container("a"))
		e.mu.Lock()
		e.stubborn = true
		e.mu.Unlock()
		answer := make(chan error, 1)
		go func() { answer <- w.control.Restart(context.Background(), "a") }()
		synctest.Wait()
		w.want()
		if err := <-answer; fault.KindOf(err) != fault.Aborted {
			t.Error(err)
		}
		e.mu.Lock()
		e.stubborn = false
		e.mu.Unlock()
	})
}

func TestRequiredIsNoReasonForARestart(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		c := container("a")
		w.want(c)
		first := w.engine.task("a")
		c.Required = true
		w.want(c)
		if w.engine.task("a") != first || len(first.signals) > 0 {
			t.Error("it was started anew")
		}
	})
}

func TestExec(t *testing.T) {
	inWorld(t, newFakeEngine(), func(w world) {
		once := container("once")
		once.RestartPolicy = "Never"
		w.want(container("a"), once)
		code, output, err := w.control.Exec(context.Background(), "a", []string{"check", "it"})
		if code != 2 || string(output) != "check it" || err != nil {
			t.Errorf("%d, %q, %v", code, output, err)
		}
		w.engine.task("once").end(0)
		synctest.Wait()
		if _, _, err := w.control.Exec(context.Background(), "once", nil); fault.KindOf(err) != fault.Precondition {
			t.Errorf("ended: %v", err)
		}
		if _, _, err := w.control.Exec(context.Background(), "c", nil); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestControlWithoutAManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := NewControl().Restart(ctx, "a"); fault.KindOf(err) != fault.Unavailable {
			t.Error(err)
		}
	})
}

// What a command writes is kept from its beginning, and never makes it wait.
func TestCaptureIsBounded(t *testing.T) {
	path := Options{RunDir: t.TempDir()}.outputPath("a", "command-1")
	c, err := openCapture(path)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	written := "begin " + strings.Repeat("x", 300<<10)
	if _, err := writer.WriteString(written); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if got := string(c.finish()); got != written[:maxOutputBytes] {
		t.Errorf("%d bytes: %.20q", len(got), got)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
