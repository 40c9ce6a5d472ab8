//go:build qemu

package qemu

import (
	"strings"
	"testing"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

var demoContainer = "containers:" + demo("demo", machine.DemoPort)

// The whole way: stage from the repository, apply, commit; then back by request, with the document of the old version.
func TestUpdateAndRollback(t *testing.T) {
	k := updates(t)
	first := k.image(t, versions.Version{Number: "1.0.0"})
	k.publish(t, versions.Version{Number: "1.1.0"})
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
	if err := g.apply(c, "1.1.0"); err != nil {
		t.Fatal(err)
	}
	s = g.status(c)
	if r := s.GetRunning(); r.GetVersion() != "1.1.0" || r.GetSlot() != "b" || !r.GetCommitted() || slot(s, "a").GetCondition() != "committed" {
		t.Fatalf("after the update: %v %v", r, s.GetSlots())
	}
	if b := s.GetBoots()[0]; !strings.Contains(b.GetAskedBy(), "operator") || !strings.Contains(b.GetWhy(), "1.0.0") {
		t.Errorf("the boot's story: %v", b)
	}
	before := s.GetBoots()[0].GetId()
	ctx, cancel := g.context()
	defer cancel()
	answer, err := node.Ask(ctx, c.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: "a test"})
	if err != nil || answer.ToVersion != "1.0.0" {
		t.Fatalf("rollback: %v, %v", answer, err)
	}
	if err := c.WaitCommitted(ctx, "1.0.0", before, func(node.Waiting) {}); err != nil {
		t.Fatal(err)
	}
	if b := g.status(c).GetBoots()[1]; b.GetVersion() != "1.1.0" || b.GetOutcome() != "rolled-back" {
		t.Errorf("the story of the boot that was left: %v", b)
	}
}

func slot(s *nodev1.StatusResponse, name string) *nodev1.Slot {
	for _, slot := range s.GetSlots() {
		if slot.GetName() == name {
			return slot
		}
	}
	return nil
}
