//go:build qemu

package powercut

import (
	"context"
	"errors"
	"slices"
	"testing"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
)

// scenario is something that writes to the disk.
type scenario struct {
	name string
	// base is the disk on which it happens.
	base func(*lab, *testing.T) string
	// run does it, on a machine that was just powered on.
	run func(ctx context.Context, t *testing.T, g *guest)
	// leaves names the disk that is there in the end, for scenarios that begin with it.
	leaves string
	// deadline of a new version in seconds, where it is not patience.
	deadline int
	// boots are the versions that may boot first from any disk of it, serves those that may be in service in the end.
	boots, serves []string
}

// Versions of the scenarios.
const (
	older = "1.0.0"
	newer = "1.1.0"
	// bad is one whose container is never ready.
	bad = "1.2.0"
	// next is what a machine is updated to after a power cut.
	next = "1.3.0"
)

// scenarios returns all of them.
func scenarios() []scenario {
	return []scenario{
		{name: "first boot", base: (*lab).factory, run: served, boots: []string{older}, serves: []string{older}},
		{name: "update", base: (*lab).installed, run: updated, leaves: "updated", boots: []string{older, newer}, serves: []string{older, newer}},
		{name: "bad update", base: (*lab).installed, run: refused, deadline: impatience, boots: []string{older, bad}, serves: []string{older}},
		{name: "rollback", base: (*lab).updated, run: rolledBack, boots: []string{older, newer}, serves: []string{older, newer}},
	}
}

// served: the partition table and /var grow, identity and documents are written, a container starts.
func served(ctx context.Context, t *testing.T, g *guest) { g.inService(ctx, t, older) }

// updated: fetch and stage, arm, the loader's rename, probation, commit.
func updated(ctx context.Context, t *testing.T, g *guest) {
	g.inService(ctx, t, older)
	if err := g.update(ctx, newer); err != nil {
		t.Fatal(err)
	}
	g.inService(ctx, t, newer)
}

// refused: as updated, but the new version's gates do not hold, and it takes its tries away.
func refused(ctx context.Context, t *testing.T, g *guest) {
	g.inService(ctx, t, older)
	var back *node.RolledBackError
	if err := g.update(ctx, bad); !errors.As(err, &back) {
		t.Fatalf("update to a bad version: %v", err)
	}
	g.inService(ctx, t, older)
}

// rolledBack: from a committed version to the committed one before it.
func rolledBack(ctx context.Context, t *testing.T, g *guest) {
	before := g.inService(ctx, t, newer)
	if _, err := node.Ask(ctx, g.client.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: t.Name()}); err != nil {
		t.Fatal(node.Explain("guest", err))
	}
	if err := g.client.WaitCommitted(ctx, older, before.GetBoots()[0].GetId(), func(node.Waiting) {}); err != nil {
		t.Fatal(err)
	}
	g.inService(ctx, t, older)
}

func (s scenario) mayBoot(version string) bool { return slices.Contains(s.boots, version) }
