package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/golden"
)

// drain runs c until it is empty and returns what it wrote.
func drain(c *Console) string { return c.take() }

func fixedClock() time.Duration { return 1234 * time.Millisecond }

func TestLines(t *testing.T) {
	c := New(fixedClock)
	log := slog.New(NewHandler(c))
	log.Info("ready")
	log.Warn("odd", "disk", "/dev/vda")
	log.With("manager", "network").WithGroup("g").Error("broken", "n", 3)
	log.Debug("hidden")
	c.Print("two\nlines")
	want := "stele: [   1.234] ready\n" +
		"stele: [   1.234] warning: odd disk=/dev/vda\n" +
		"stele: [   1.234] error: broken manager=network g.n=3\n" +
		"stele: [   1.234] two\nstele: [   1.234] lines\n"
	if got := drain(c); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestControlCharacters(t *testing.T) {
	c := New(fixedClock)
	c.Print("a\x1b[2Jb\tc\rd\x00")
	if got, want := drain(c), "stele: [   1.234] a?[2Jb c?d?\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFullQueueDropsAndCounts(t *testing.T) {
	c := New(fixedClock)
	for range queueLines + 7 {
		c.Print("x")
	}
	got := drain(c)
	if n := strings.Count(got, "\n"); n != queueLines+1 {
		t.Errorf("%d lines, want %d", n, queueLines+1)
	}
	if !strings.HasSuffix(got, "stele: 7 lines lost: the console is too slow\n") {
		t.Errorf("the loss is not told: %q", got[len(got)-80:])
	}
}

func TestRunWritesAndFlushWaits(t *testing.T) {
	c := New(fixedClock)
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Run(ctx, &out) }()
	c.Print("one")
	c.Flush(time.Minute)
	cancel()
	<-ended
	if got := out.String(); got != "stele: [   1.234] one\n" {
		t.Errorf("got %q", got)
	}
}

func TestFlushGivesUp(t *testing.T) {
	c := New(fixedClock)
	c.Print("nobody writes this")
	c.Flush(time.Millisecond)
}

func applied(containers ...state.Container) snapshot {
	desired := &plan.Desired{Hostname: "web-1"}
	for _, c := range containers {
		desired.Containers = append(desired.Containers, plan.Container{Name: c.Name, Env: []string{"PASSWORD=hunter2"}})
	}
	return snapshot{
		Facts:   plan.Facts{Image: v1alpha1.ImageInfo{Name: "base", Version: "1.0.0"}, Platform: "qemu"},
		Desired: desired,
		Boot: state.Boot{SecureBoot: state.SecureBoot{State: state.SecureBootEnabled}, Slot: "a", RootHash: "00ff", FirmwareUsec: 2500000, LoaderUsec: 300000,
			Started: 1900 * time.Millisecond, Ready: 1950 * time.Millisecond},
		Document: &state.Document{Phase: state.DocumentApplied, Source: "fw_cfg opt/stele/config"},
		Network: state.Network{Online: true, Links: []state.Link{{Name: "eth0", MACAddress: "52:54:00:12:34:56", Up: true,
			Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")}}}},
		Clock:      state.Clock{Synchronised: true, Server: "ntp.example.com"},
		Storage:    &state.Storage{VarDevice: "/dev/vda6", VarSizeBytes: 1 << 30, Events: []string{"grown from 128 MiB to 1024 MiB"}},
		Runtime:    state.Runtime{Running: true, PID: 99},
		Containers: containers,
	}
}

func ready(name string) state.Container {
	return state.Container{Name: name, Image: "hello", Phase: state.ContainerRunning, Ready: true}
}

func with(phase state.ContainerPhase, reason string, exitCode int) state.Container {
	return state.Container{Name: "db", Image: "docker.io/library/db:1", Phase: phase, Reason: reason, ExitCode: exitCode, Restarts: 2}
}

func TestPhase(t *testing.T) {
	document := func(p state.DocumentPhase, s snapshot) snapshot {
		s.Document = &state.Document{Phase: p}
		return s
	}
	down := applied(ready("web"))
	down.Shutdown = &state.Shutdown{}
	lost := applied(ready("web"))
	lost.Storage = &state.Storage{Error: "damaged"}
	tests := []struct {
		name    string
		s       snapshot
		before  bool
		want    string
		settled bool
	}{
		{"nothing known", snapshot{}, false, phaseBooting, false},
		{"waiting", document(state.DocumentWaiting, applied()), false, phaseWaiting, false},
		{"no metadata", document(state.DocumentMissing, applied()), false, phaseNoMetadata, true},
		{"invalid", document(state.DocumentInvalid, applied()), false, phaseConfigInvalid, true},
		{"last good", document(state.DocumentLastGood, applied(ready("web"))), false, phaseLastGood, true},
		{"no containers", applied(), false, phaseRunning, true},
		{"ready", applied(ready("web")), false, phaseRunning, true},
		{"starting", applied(with(state.ContainerStarting, "", 0)), false, phaseBooting, false},
		{"starting again", applied(with(state.ContainerStarting, "", 0)), true, phaseDegraded, false},
		{"running, not ready", applied(with(state.ContainerRunning, "", 0)), false, phaseBooting, false},
		{"done", applied(with(state.ContainerExited, "", 0)), false, phaseRunning, true},
		{"exited with an error", applied(with(state.ContainerExited, "exit code 1", 1)), false, phaseDegraded, true},
		{"backoff", applied(with(state.ContainerBackoff, "exit code 1", 1)), false, phaseDegraded, true},
		{"storage lost", lost, false, phaseDegraded, true},
		{"going down", down, true, phaseShuttingDown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := phase(tt.s, tt.before); got != tt.want {
				t.Errorf("phase %q, want %q", got, tt.want)
			}
			if got := settled(tt.s); got != tt.settled {
				t.Errorf("settled %v, want %v", got, tt.settled)
			}
		})
	}
}

func TestReport(t *testing.T) {
	s := applied(with(state.ContainerFailed, "cannot pull \"docker.io/library/db:1\": no route to host", 0), ready("web"))
	m := moments{storage: 2 * time.Second, document: 2100 * time.Millisecond, network: 2200 * time.Millisecond, containerd: 2300 * time.Millisecond}
	got := strings.Join(report(s, phase(s, false), m, Memory{60 << 20, 1 << 30, 20 << 20, 30 << 20}), "\n") + "\n"
	if strings.Contains(got, "hunter2") {
		t.Error("the report holds a secret")
	}
	golden.Compare(t, "testdata/report.txt", got)
	golden.Compare(t, "testdata/report-empty.txt", strings.Join(report(snapshot{}, phaseBooting, moments{}, Memory{}), "\n")+"\n")
}

func TestWatcher(t *testing.T) {
	c := New(fixedClock)
	w := NewWatcher(c, func(int) Memory { return Memory{} })
	var waits []string
	step := func(s snapshot, at time.Duration) { waits = append(waits, w.step(s, at).String()) }
	step(snapshot{}, time.Second)
	starting := applied(with(state.ContainerStarting, "", 0), ready("web"))
	step(starting, 2*time.Second)
	offline := applied(with(state.ContainerRunning, "", 0), ready("web"))
	offline.Containers[0].Ready = true
	online := offline
	offline.Network.Online = false
	step(offline, 3*time.Second)
	step(online, 4*time.Second)
	step(online, 5*time.Second)
	failed := applied(with(state.ContainerBackoff, "exit code 137", 137), ready("web"))
	step(failed, 6*time.Second)
	step(failed, 14*time.Second)
	down := failed
	down.Shutdown = &state.Shutdown{}
	step(down, 15*time.Second)
	golden.Compare(t, "testdata/watch.txt", drain(c)+"waits: "+strings.Join(waits, " ")+"\n")
}

func TestRunPrintsTheStateOfAMachine(t *testing.T) {
	c := New(fixedClock)
	w := NewWatcher(c, func(int) Memory { return Memory{} })
	m := &state.Machine{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = w.Run(ctx, m) }()
	r, out := io.Pipe()
	go func() { _ = c.Run(ctx, out) }()
	m.Shutdown.Set(state.Shutdown{Reason: "test"})
	buffer := make([]byte, 4096)
	for seen := ""; !strings.Contains(seen, "state: shutting-down"); {
		n, err := r.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		seen += string(buffer[:n])
	}
	cancel()
	<-ended
}

// TestDocumentChanges: errors, warnings and a trial's end are said once each.
func TestDocumentChanges(t *testing.T) {
	tried := &state.Document{Warnings: []string{"metadata has moved on"}, RevertAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	back := &state.Document{Errors: []string{"it cannot be kept"}, Warnings: []string{"metadata has moved on", "it is taken back"}}
	for _, c := range []struct {
		name          string
		before, after *state.Document
		want          string
	}{
		{"a trial begins", nil, tried, "warning: document: metadata has moved on\ndocument: on trial, taken back at 2026-01-02T03:04:05Z unless it is confirmed"},
		{"nothing new", tried, tried, ""},
		{"it ends", tried, back, "error: document: it cannot be kept\nwarning: document: it is taken back"},
		{"no document", nil, nil, ""},
	} {
		if got := strings.Join(documentChanges(c.before, c.after), "\n"); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
