package show

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/golden"
)

func testStatus() *nodev1.StatusResponse {
	at := func(seconds int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(2026, 11, 21, 12, 0, seconds, 0, time.UTC))
	}
	return &nodev1.StatusResponse{
		Machine: &nodev1.Machine{Hostname: "web-1", Architecture: "x86_64", Processors: 2, MemoryBytes: 1 << 30, MemoryUsedBytes: 60 << 20, Kernel: "6.12.57-stele", SecureBoot: "enabled",
			Addresses: []string{"192.0.2.10/24"}, Uptime: durationpb.New(90 * time.Second)},
		Running: &nodev1.Version{Image: "demo", Version: "1.0.0", Slot: "a", Committed: true, SecurityVersion: 2},
		Slots: []*nodev1.Slot{
			{Name: "a", Version: "1.0.0", Condition: "committed", Running: true},
			{Name: "b", Version: "1.1.0", Condition: "rejected", TriesDone: 2, Reason: "container web is not ready"},
		},
		Boots: []*nodev1.Boot{
			{Id: "3", Version: "1.0.0", Slot: "a", Started: at(50), Outcome: "running", Why: "1.1.0 was rejected"},
			{Id: "2", Version: "1.1.0", Slot: "b", Started: at(10), Outcome: "rejected", Reason: "container web is not ready", Why: "update from 1.0.0", AskedBy: "alice"},
		},
		Health:     &nodev1.Health{Phase: "running"},
		Containers: []*nodev1.Container{{Name: "web", Phase: "running", Ready: true, Image: "web:1.0", Reason: "\x1b[2Jhidden"}},
		Document:   &nodev1.Document{Phase: "applied", Source: "fw_cfg opt/stele/config"},
		Update:     &nodev1.Update{Activity: "idle", SecurityFloor: 3, Rejected: []*nodev1.Rejection{{Version: "1.1.0", Reason: "container web is not ready", Time: at(49)}}},
		Api:        &nodev1.Api{Port: 7835, Fingerprint: "SHA256:abc"},
	}
}

func TestGolden(t *testing.T) {
	s := testStatus()
	for name, print := range map[string]func(*strings.Builder) error{
		"status.txt": func(b *strings.Builder) error { return Status(b, "web-1", s) },
		"overview.txt": func(b *strings.Builder) error {
			return Overview(b, map[string]*nodev1.StatusResponse{"web-1": s}, []string{"web-1", "web-2"})
		},
		"one.json": func(b *strings.Builder) error { return Data(b, "json", []Answer{{"web-1", s}}) },
		"two.yaml": func(b *strings.Builder) error {
			return Data(b, "yaml", []Answer{{"web-1", s.Running}, {"web-2", s.Running}})
		},
	} {
		var b strings.Builder
		if err := print(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b") && !strings.HasSuffix(name, ".json") {
			t.Errorf("%s: a machine's words reach the terminal raw", name)
		}
		golden.Compare(t, "testdata/"+name, b.String())
	}
}

func TestCheckFormat(t *testing.T) {
	if CheckFormat("xml") == nil || CheckFormat("yaml") != nil {
		t.Error("formats are checked wrongly")
	}
}

func TestProgressSaysNothingTwice(t *testing.T) {
	var b strings.Builder
	p := Progress{Out: &b, Node: "web-1"}
	for done := range int64(1001) {
		p.Show(&nodev1.Progress{Phase: "writing", Version: "1.1.0", DoneBytes: done << 20, TotalBytes: 1000 << 20})
	}
	if n := strings.Count(b.String(), "\n"); n != 11 {
		t.Errorf("%d lines:\n%s", n, b.String())
	}
}

func TestActivity(t *testing.T) {
	progress := &nodev1.Progress{Phase: "writing", Version: "1.1.0", DoneBytes: 5 << 20, TotalBytes: 10 << 20}
	for activity, want := range map[string]string{
		"idle": "", "probation": "", "": "", "going-down": "going-down", "staging": "staging: writing 1.1.0, 50 % of 10.0 MiB",
	} {
		if got := activityOf(activity, progress); got != want {
			t.Errorf("%s: got %q, want %q", activity, got, want)
		}
	}
}

func activityOf(word string, p *nodev1.Progress) string {
	return activity(&nodev1.Update{Activity: word, Progress: p})
}

// Lines that begin with their machine never go on after one of another.
func TestLogLine(t *testing.T) {
	first, last := &nodev1.LogEntry{Line: "a long", Partial: true}, &nodev1.LogEntry{Line: " line\x1b"}
	plain, named := LogLine{}, LogLine{Node: "web-1"}
	if got := plain.Add(first) + plain.Add(last); got != "a long line?\n" {
		t.Errorf("got %q", got)
	}
	if got := named.Add(first) + named.Add(last); got != "web-1  a long\nweb-1   line?\n" {
		t.Errorf("got %q", got)
	}
}
