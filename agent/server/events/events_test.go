package events

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/golden"
)

func TestDifferences(t *testing.T) {
	before := snapshot{
		Health:     state.Health{Phase: "booting"},
		Containers: []state.Container{{Name: "db", Phase: state.ContainerRunning, Ready: true}, {Name: "web", Phase: state.ContainerPulling}},
		Update:     state.Update{Activity: state.ActivityProbation, Gates: []state.Gate{{Name: "settled", State: "waiting"}}},
	}
	after := snapshot{
		Health:     state.Health{Phase: "degraded", Failures: []string{"storage: broken"}},
		Document:   state.Document{Phase: state.DocumentApplied, Source: "API", Digest: "sha256:00"},
		Network:    state.Network{Online: true, Links: []state.Link{{Name: "eth0", Up: true, Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24")}}}},
		Clock:      state.Clock{Synchronised: true, Server: "192.0.2.1"},
		Storage:    state.Storage{Events: []string{"grown"}},
		Runtime:    state.Runtime{Restarts: 1},
		Containers: []state.Container{{Name: "web", Phase: state.ContainerFailed, Reason: "no image"}},
		Update: state.Update{Activity: state.ActivityIdle, Committed: true, Available: "1.2.0", Error: "no network", Progress: state.Progress{Version: "1.2.0", Phase: "writing"},
			Slots: []state.Slot{{Name: "b", Version: "1.2.0", State: state.SlotWriting}}, Gates: []state.Gate{{Name: "settled", State: "held"}},
			Rejected: []state.Rejection{{Version: "1.1.0", RootHash: "aa", Reason: "a gate failed"}}},
		API:      state.API{Port: 7835, Fingerprint: "SHA256:x", SelfSigned: true},
		Shutdown: state.Shutdown{Reason: "update"},
	}
	var b strings.Builder
	for _, e := range differences(before, after) {
		fmt.Fprintf(&b, "%s | %s | %s\n", e.Kind, e.Object, e.Message)
	}
	golden.Compare(t, "testdata/differences.txt", b.String())
	if again := differences(after, after); len(again) > 0 {
		t.Errorf("nothing has changed, and yet: %v", again)
	}
}

// TestEventsHoldNoSecrets: what a document holds is in Desired, and events are made without it.
func TestEventsHoldNoSecrets(t *testing.T) {
	m, h := &state.Machine{}, NewHub(time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); Watch(ctx, m, h) }()
	m.Desired.Set(plan.Desired{Containers: []plan.Container{{Name: "web", Env: []string{"PASSWORD=hunter2"}}}})
	m.Containers.Set([]state.Container{{Name: "web", Phase: state.ContainerRunning}})
	e, err := h.Reader(10).Next(ctx)
	if err != nil || e.Object != "web" || strings.Contains(e.Message, "hunter2") {
		t.Errorf("%+v %v", e, err)
	}
	cancel()
	<-ended
}

func TestHubIsBounded(t *testing.T) {
	h := NewHub(time.Now)
	for range 3000 {
		h.Publish("machine", "", strings.Repeat("x", 5000))
	}
	reader := h.Reader(1 << 20)
	e, err := reader.Next(context.Background())
	if err != nil || len(e.Message) > maxMessageBytes+3 || 3000-e.Sequence >= kept {
		t.Errorf("%d bytes, sequence %d, %v", len(e.Message), e.Sequence, err)
	}
	for range kept { // one that does not keep up
		h.Publish("machine", "", "y")
	}
	if e, _ := reader.Next(context.Background()); e.Lost == 0 {
		t.Error("it lost nothing")
	}
}
