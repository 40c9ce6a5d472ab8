package containers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// fakeEngine is a runtime with a state of its own.
type fakeEngine struct {
	mu        sync.Mutex
	tasks     map[string]*fakeTask
	pullFails map[string]error
	stubborn  bool // tasks ignore SIGTERM
	starts    []string
	removed   []string
	collected [][]string
}

type fakeTask struct {
	engine  *fakeEngine
	hash    string
	signals []syscall.Signal
	ended   chan struct{}
	code    int
	oom     bool
	waitErr error // what Wait returns at the end
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{tasks: map[string]*fakeTask{}, pullFails: map[string]error{}}
}

func (e *fakeEngine) Adopt(_ context.Context, s specification, hash string) (task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[s.Container.Name]; t != nil && t.hash == hash {
		return t, nil
	}
	return nil, errGone
}

func (e *fakeEngine) Pull(_ context.Context, s specification) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pullFails[s.Container.Image]
}

func (e *fakeEngine) Start(_ context.Context, s specification, hash string) (task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tasks[s.Container.Name] != nil {
		return nil, errors.New("it runs already")
	}
	t := &fakeTask{engine: e, hash: hash, ended: make(chan struct{})}
	e.tasks[s.Container.Name] = t
	e.starts = append(e.starts, s.Container.Name)
	return t, nil
}

func (e *fakeEngine) Remove(_ context.Context, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tasks, name)
	e.removed = append(e.removed, name)
	return nil
}

func (e *fakeEngine) List(context.Context) ([]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	for name := range e.tasks {
		names = append(names, name)
	}
	return names, nil
}

func (e *fakeEngine) CollectImages(_ context.Context, wanted []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.collected = append(e.collected, wanted)
	return nil
}

func (e *fakeEngine) task(name string) *fakeTask {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tasks[name]
}

func (t *fakeTask) end(code int) {
	t.engine.mu.Lock()
	defer t.engine.mu.Unlock()
	t.code = code
	close(t.ended)
}

func (t *fakeTask) PID() int { return 42 }

func (t *fakeTask) Wait(ctx context.Context) (exit, error) {
	select {
	case <-ctx.Done():
		return exit{}, ctx.Err()
	case <-t.ended:
		return exit{Code: t.code, OOM: t.oom}, t.waitErr
	}
}

func (t *fakeTask) Kill(_ context.Context, s syscall.Signal) error {
	t.engine.mu.Lock()
	t.signals = append(t.signals, s)
	stubborn := t.engine.stubborn && s == syscall.SIGTERM
	t.engine.mu.Unlock()
	if !stubborn {
		t.end(128 + int(s))
	}
	return nil
}

func (t *fakeTask) Exec(context.Context, []string) (int, error) { return 0, nil }

func (t *fakeTask) Output(_ context.Context, command []string) (int, []byte, error) {
	return len(command), []byte(strings.Join(command, " ")), nil
}

// world is a running manager in a bubble of synthetic time.
type world struct {
	machine *state.Machine
	engine  *fakeEngine
	control *Control
	stop    func() time.Duration // ends the manager and tells how long that took
}

func inWorld(t *testing.T, e *fakeEngine, f func(w world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := &state.Machine{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		control := NewControl()
		go func() {
			defer close(ended)
			_ = Run(ctx, m, Options{engine: e, Control: control, ShutdownTimeout: 20 * time.Second})
		}()
		stop := func() time.Duration {
			began := time.Now()
			cancel()
			<-ended
			return time.Since(began)
		}
		f(world{m, e, control, stop})
		stop()
	})
}

// want publishes a document that is in force and lets things settle.
func (w world) want(containers ...plan.Container) {
	w.machine.Document.Set(state.Document{Phase: state.DocumentApplied})
	w.machine.Desired.Set(plan.Desired{Containers: containers})
	synctest.Wait()
}

func (w world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w world) status(name string) state.Container {
	all, _ := w.machine.Containers.Get()
	i := slices.IndexFunc(all, func(c state.Container) bool { return c.Name == name })
	if i < 0 {
		return state.Container{}
	}
	return all[i]
}

func container(name string) plan.Container {
	return plan.Container{Name: name, Image: "demo", Baked: true, RestartPolicy: "Always", GracePeriod: 10 * time.Second}
}
