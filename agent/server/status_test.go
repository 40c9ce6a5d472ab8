package server

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/golden"
)

func TestStatus(t *testing.T) {
	at := func(minutes int) time.Time { return time.Date(2026, 11, 21, 9, minutes, 0, 0, time.UTC) }
	gates := []state.Gate{{Name: "settled", State: "held", Since: at(2)}, {Name: "container web", State: "waiting", Reason: "not ready"}}
	s := snapshot{
		Facts: plan.Facts{Image: v1alpha1.ImageInfo{Name: "demo", Version: "1.1.0", Architecture: "x86_64", SecurityVersion: 1}, Platform: "qemu", InstanceID: "i-1", CPUs: 2, MemoryBytes: 1 << 30},
		Desired: plan.Desired{Hostname: "web-1", Update: plan.Update{Repository: "https://updates.example.com/"},
			Containers: []plan.Container{{Name: "web", Required: true, Env: []string{"PASSWORD=hunter2"}}}},
		Boot:     state.Boot{Version: "1.1.0", Slot: "b", RootHash: "aa", BootDisk: "/dev/vda", SecureBoot: state.SecureBoot{State: "unknown", Reason: "why"}},
		Document: state.Document{Phase: state.DocumentApplied, Source: "fw_cfg opt/stele/config", Digest: "sha256:00", RevertAt: at(9), Warnings: []string{"a port is used twice"}},
		Network:  state.Network{Links: []state.Link{{Name: "eth0", Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24"), netip.MustParsePrefix("2001:db8::7/64")}}}},
		Clock:    state.Clock{Synchronised: true},
		Storage:  state.Storage{VarDevice: "/dev/vda6", VarSizeBytes: 1 << 31},
		Containers: []state.Container{{Name: "web", Image: "docker.io/library/nginx:1.27", Phase: state.ContainerRunning, Restarts: 1, StartedAt: at(1)},
			{Name: "job", Image: "job", Phase: state.ContainerExited, ExitCode: 3, Reason: "exited with 3"}},
		Update: state.Update{Activity: state.ActivityProbation, Gates: gates, Deadline: at(5), Available: "1.2.0", CheckedAt: at(0),
			SecurityFloor: 2, Progress: state.Progress{Version: "1.2.0", Phase: "writing", Done: 1, Total: 2, Fetched: 3, Reused: 4},
			Slots: []state.Slot{{Name: "a", Version: "1.0.0", RootHash: "bb", State: state.SlotCommitted, SecurityVersion: 2},
				{Name: "b", Version: "1.1.0", RootHash: "aa", State: state.SlotTrying, Running: true, Left: 1, Done: 1}},
			Rejected: []state.Rejection{{Version: "1.0.9", RootHash: "cc", Reason: "a gate failed", Time: at(0)}}},
		Boots:  []state.BootStory{{ID: "boot-2", Image: "demo", Committed: true, Version: "1.1.0", Slot: "b", Started: at(1), Outcome: state.OutcomeRunning, Gates: gates, AskedBy: "CN=otto", Why: "update from 1.0.0"}},
		API:    state.API{Port: 7835, Fingerprint: "SHA256:x", SelfSigned: true, NotAfter: at(59)},
		Health: state.Health{Phase: "booting", Failures: []string{"container job: exited with 3"}},
		Kernel: "6.12.57", Now: at(3), Uptime: 90 * time.Second, MemoryUsed: 1 << 27,
	}
	text, err := protojson.Marshal(statusOf(s))
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil { // protojson's own blanks differ from run to run
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/status.json", pretty.String()+"\n")
	if strings.Contains(pretty.String(), "hunter2") {
		t.Error("a secret is in it")
	}
	if empty := statusOf(snapshot{}); empty.GetMachine().GetTime() != nil || empty.GetUpdate().GetProgress() != nil {
		t.Errorf("%v", empty)
	}
}

func TestSummaryKeepsSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, tt := range []struct {
		summary string
		want    string
	}{
		{summary: summary(&nodev1.ApplyConfigRequest{Document: "PASSWORD=" + secret, DryRun: true, TryFor: durationpb.New(time.Minute)}), want: "dry_run=true try_for=60s"},
		{summary: summary(&nodev1.InstallIdentityRequest{Certificates: secret}), want: "certificates=(7 bytes, sha256:"},
		{summary: summary(&nodev1.PushUpdateRequest{Version: "1.2.0", Data: []byte(secret)}), want: `version="1.2.0" data=(7 bytes)`},
		{summary: summary(&nodev1.RebootRequest{Reason: "a\nb\x1b[0m" + strings.Repeat("x", 1000)}), want: `reason="a?b?[0mxxx`},
		{summary: summary(&nodev1.StatusRequest{}), want: ""},
	} {
		if strings.Contains(tt.summary, secret) || !strings.Contains(tt.summary, tt.want) || len(tt.summary) > 400 {
			t.Errorf("%q, want %q", tt.summary, tt.want)
		}
	}
}

// TestStatusWithBrokenText: what is not UTF-8 is replaced, on the way that a client takes.
func TestStatusWithBrokenText(t *testing.T) {
	w := startWhole(t)
	w.machine.Boots.Set([]state.BootStory{{ID: "boot-1", Panic: "Oops \xff\xfe", Gates: []state.Gate{{Reason: "\x80"}}}})
	w.machine.Health.Set(state.Health{Failures: []string{"fine", "\xc0"}})
	got, err := nodev1.NewMachineServiceClient(w.as("stele:reader"), w.url()).Status(t.Context(), connect.NewRequest(&nodev1.StatusRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	boot := got.Msg.GetBoots()[0]
	if boot.GetPanic() != "Oops \uFFFD" || boot.GetGates()[0].GetReason() != "\uFFFD" || got.Msg.GetHealth().GetFailures()[1] != "\uFFFD" {
		t.Errorf("%v", got.Msg)
	}
}
