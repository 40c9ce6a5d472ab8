package boot

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/console"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/api/v1alpha1"
)

func TestNextWait(t *testing.T) {
	tests := []struct {
		name            string
		last, ran, want time.Duration
	}{
		{"first", 0, 0, time.Second},
		{"second", time.Second, time.Millisecond, 2 * time.Second},
		{"bounded", 20 * time.Second, 0, backoffMax},
		{"steady again", 20 * time.Second, steadyAfter, time.Second},
	}
	for _, tt := range tests {
		if got := nextWait(tt.last, tt.ran); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSuperviseStartsAgain(t *testing.T) {
	c := console.New(func() time.Duration { return 0 })
	reader, writer := io.Pipe()
	go func() { _ = c.Run(t.Context(), writer) }()
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	var waits []time.Duration
	supervise(ctx, slog.New(console.NewHandler(c)), manager{"test", func(context.Context) error {
		runs++
		switch runs {
		case 1:
			panic("first")
		case 2:
			return errors.New("second")
		case 3:
			return nil
		}
		cancel()
		return nil
	}}, &failures{}, func(d time.Duration) <-chan time.Time {
		waits = append(waits, d)
		fired := make(chan time.Time, 1)
		fired <- time.Time{}
		return fired
	})
	if runs != 4 || len(waits) != 3 || waits[2] != 4*time.Second {
		t.Errorf("%d runs, waits %v", runs, waits)
	}
}

func TestContainKeepsTheStack(t *testing.T) {
	err := contain(func() error { panic("lost") })
	if err == nil || !strings.Contains(err.Error(), "panic: lost") || !strings.Contains(err.Error(), "boot_test.go") {
		t.Errorf("got %v", err)
	}
}

func TestGroupEnds(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	var good, stuck, never group
	good.start(log, &failures{}, manager{"good", func(ctx context.Context) error { <-ctx.Done(); return nil }})
	begun, release := make(chan struct{}), make(chan struct{})
	stuck.start(log, &failures{}, manager{"stuck", func(context.Context) error { close(begun); <-release; return nil }})
	<-begun
	if !good.end(time.Minute) || !never.end(time.Minute) {
		t.Error("a group whose managers return has ended")
	}
	if stuck.end(time.Millisecond) {
		t.Error("a stuck manager was waited for")
	}
	close(release)
	stuck.running.Wait()
}

func TestMeaning(t *testing.T) {
	for _, s := range heard {
		request, down := meaning(s)
		switch s {
		case unix.SIGINT:
			if !down || request.PowerOff {
				t.Error("Ctrl-Alt-Del restarts")
			}
		case unix.SIGTERM, unix.SIGPWR:
			if !down || !request.PowerOff {
				t.Errorf("%v powers off", s)
			}
		default:
			if down {
				t.Errorf("%v takes the machine down", s)
			}
		}
	}
}

func TestLongestGrace(t *testing.T) {
	with := func(graces ...time.Duration) plan.Desired {
		var d plan.Desired
		for _, g := range graces {
			d.Containers = append(d.Containers, plan.Container{GracePeriod: g})
		}
		return d
	}
	for _, tt := range []struct {
		desired plan.Desired
		want    time.Duration
	}{{with(), graceDefault}, {with(time.Second, time.Minute), time.Minute}, {with(time.Hour), graceMax}} {
		if got := longestGrace(tt.desired); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if containersSpare+managersGrace+2*2*killGrace >= restOfWay {
		t.Error("the steps' deadlines do not fit into the way's")
	}
}

func TestFirstRequestCounts(t *testing.T) {
	a := newAgent()
	a.request(true, "power button")
	a.request(false, "Ctrl-Alt-Del")
	if got := <-a.requests; got != (state.Shutdown{PowerOff: true, Reason: "power button"}) {
		t.Errorf("got %+v", got)
	}
}

func TestReadImageInfo(t *testing.T) {
	root := t.TempDir()
	if _, err := readImageInfo(root); err == nil {
		t.Error("a missing file is an error")
	}
	path := filepath.Join(root, v1alpha1.ImageInfoPath)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for content, good := range map[string]bool{`{"name":"base","version":"1.0.0","buildTime":5,"later":1}`: true, `{`: false} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		info, err := readImageInfo(root)
		if (err == nil) != good || good && info.BuildTime != 5 {
			t.Errorf("%s: %+v, %v", content, info, err)
		}
	}
}

func TestPlatform(t *testing.T) {
	line := system.DecodeCommandLine("quiet stele.platform=metal")
	if got := platform("ec2", line.Value); got != "metal" {
		t.Errorf("the command line wins: got %q", got)
	}
	if got := platform("ec2", system.CommandLine{}.Value); got != "ec2" {
		t.Errorf("else the image: got %q", got)
	}
}
