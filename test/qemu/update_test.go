//go:build qemu

package qemu

import (
	"strings"
	"testing"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

var demoContainer = "containers:" + demo("demo", machine.DemoPort)

// The whole way: stage from the repository, apply, commit by an operator's word; then back by request, with the document of the old version.
func TestUpdateAndRollback(t *testing.T) {
	t.Parallel()
	k := ownUpdates(t, "newest") // the newest version is one thing there, and another for TestFaults
	first := k.image(t, versions.Version{Number: "1.0.0"})
	k.publish(t, versions.Version{Number: "3.0.0"})
	g := bootImage(t, first, k.options(t, demoContainer))
	g.serving()
	c := k.node(g, "operator")

	if err := g.stage(c, ""); err != nil {
		t.Fatal(err)
	}
	s := g.status(c)
	if s.GetRunning().GetVersion() != "1.0.0" || !s.GetRunning().GetCommitted() || slot(s, "b").GetCondition() != "staged" {
		t.Fatalf("after staging: %v", s.GetSlots())
	}
	original := s.GetDocument().GetDigest()
	g.applyWithWord(c, "3.0.0")
	s = g.status(c)
	if r := s.GetRunning(); r.GetVersion() != "3.0.0" || r.GetSlot() != "b" || !r.GetCommitted() || slot(s, "a").GetCondition() != "committed" {
		t.Fatalf("after the update: %v %v", r, s.GetSlots())
	}
	if b := s.GetBoots()[0]; !strings.Contains(b.GetAskedBy(), "operator") || !strings.Contains(b.GetWhy(), "1.0.0") {
		t.Errorf("the boot's story: %v", b)
	}
	ctx, cancel := g.context()
	defer cancel()
	second := string(k.document("containers:" + demo("demo", machine.DemoPort) + demo("second", 8081)))
	if _, err := node.Ask(ctx, c.Config.Apply, &nodev1.ApplyConfigRequest{Document: second}); err != nil {
		t.Fatal(err)
	}
	g.expect(`^stele: .*container second: running ready`)
	before := s.GetBoots()[0].GetId()
	answer, err := node.Ask(ctx, c.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: "a test"})
	if err != nil || answer.ToVersion != "1.0.0" {
		t.Fatalf("rollback: %v, %v", answer, err)
	}
	if err := c.WaitCommitted(ctx, "1.0.0", before, func(node.Waiting) {}); err != nil {
		t.Fatal(err)
	}
	s = g.status(c)
	if d := s.GetDocument(); d.GetDigest() != original || containerOf(s, "second") != nil {
		t.Errorf("the document of 1.0.0 is not back: %v, %v", d, s.GetContainers())
	}
	if b := s.GetBoots()[1]; b.GetVersion() != "3.0.0" || b.GetOutcome() != "rolled-back" {
		t.Errorf("the story of the boot that was left: %v", b)
	}
}

// applyWithWord restarts into the staged version, sees that it waits when all other gates have held for long enough, and gives the word.
func (g *guest) applyWithWord(c *node.Client, version string) {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	before := g.status(c).GetBoots()[0].GetId()
	request := &nodev1.ApplyUpdateRequest{Version: version, Reason: g.t.Name(), RequireConfirmation: true}
	if _, err := node.Ask(ctx, c.Updates.Apply, request); err != nil {
		g.t.Fatal(node.Explain("guest", err))
	}
	g.expect(`^stele: .*gate confirmation: waiting: nobody has confirmed the version yet`)
	var s *nodev1.StatusResponse
	var held time.Time
	for ; held.IsZero() || time.Since(held) < 2*probation; time.Sleep(200 * time.Millisecond) {
		s = g.status(c)
		if s.GetRunning().GetVersion() != version || s.GetRunning().GetCommitted() {
			g.t.Fatalf("without the word: %v", s.GetRunning())
		}
		if !onlyTheWordIsMissing(s) {
			held = time.Time{}
		} else if held.IsZero() {
			held = time.Now()
		}
		if ctx.Err() != nil {
			g.t.Fatalf("gates: %v", s.GetUpdate().GetGates())
		}
	}
	if _, err := node.Ask(ctx, c.Updates.Commit, &nodev1.CommitUpdateRequest{Version: version}); err != nil {
		g.t.Fatal(node.Explain("guest", err))
	}
	if err := c.WaitCommitted(ctx, version, before, func(node.Waiting) {}); err != nil {
		g.t.Fatal(err)
	}
}

func onlyTheWordIsMissing(s *nodev1.StatusResponse) bool {
	missing := 0
	for _, gate := range s.GetUpdate().GetGates() {
		if gate.GetState() != "held" {
			missing++
		}
		if gate.GetName() == "confirmation" && gate.GetState() == "held" {
			return false
		}
	}
	return missing == 1
}

func slot(s *nodev1.StatusResponse, name string) *nodev1.Slot {
	for _, slot := range s.GetSlots() {
		if slot.GetName() == name {
			return slot
		}
	}
	return nil
}
