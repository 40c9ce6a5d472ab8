package containers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/containerd"
	"github.com/stele-os/stele/agent/state"
)

// fakeDaemon is containerd as a process: it runs until it is ended.
type fakeDaemon struct {
	pid  int
	done chan struct{}
	code int
}

func (d *fakeDaemon) PID() int              { return d.pid }
func (d *fakeDaemon) Done() <-chan struct{} { return d.done }
func (d *fakeDaemon) ExitCode() int         { return d.code }

func (d *fakeDaemon) Signal(s os.Signal) error {
	d.end(128 + int(s.(syscall.Signal)))
	return nil
}

func (d *fakeDaemon) end(code int) {
	d.code = code
	close(d.done)
}

func TestSupervise(t *testing.T) {
	config := containerd.DefaultConfig()
	config.Root, config.State = t.TempDir(), t.TempDir()
	sockets, err := containerd.Listen(config)
	if err != nil {
		t.Fatal(err)
	}
	defer sockets.Close()
	database := filepath.Join(config.Root, "io.containerd.metadata.v1.bolt", "meta.db")
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(database, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var started []*fakeDaemon
		var lines []string
		o := Options{
			Self: "/agent", Containerd: config,
			Start: func(*exec.Cmd) (Process, error) {
				mu.Lock()
				defer mu.Unlock()
				d := &fakeDaemon{pid: 100 + len(started), done: make(chan struct{})}
				started = append(started, d)
				return d, nil
			},
			Logf: func(f string, a ...any) { lines = append(lines, f) },
		}.withDefaults()
		latest := func() *fakeDaemon {
			mu.Lock()
			defer mu.Unlock()
			return started[len(started)-1]
		}
		m := &state.Machine{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			supervise(ctx, m, o, sockets, func(context.Context) error { return nil })
		}()
		expect := func(pid, restarts int) {
			t.Helper()
			time.Sleep(time.Millisecond)
			if r, _ := m.Runtime.Get(); !r.Running || r.PID != pid || r.Restarts != restarts {
				t.Fatalf("runtime %+v, want pid %d after %d restarts", r, pid, restarts)
			}
		}
		expect(100, 0)
		latest().end(137) // the first crash is repaired at once
		expect(101, 1)
		latest().end(1) // the next one after a moment
		time.Sleep(daemonBackoffFirst)
		expect(102, 2)
		if _, err := os.Stat(database); err != nil {
			t.Fatal("a crash cost the database")
		}
		latest().end(containerd.ExitCorrupt)
		time.Sleep(2 * daemonBackoffFirst)
		expect(103, 3)
		if _, err := os.Stat(database); !os.IsNotExist(err) {
			t.Error("the corrupt database is still there")
		}
		cancel()
		<-ended
		if latest().code != 128+int(syscall.SIGTERM) {
			t.Errorf("containerd ended with %d, want by SIGTERM", latest().code)
		}
		if len(lines) != 3 || !strings.Contains(lines[0], "starting it again") {
			t.Errorf("console lines %q, want three that say so", lines)
		}
	})
}
