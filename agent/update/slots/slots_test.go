package slots

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/golden"
)

// loaderBoots does what the loader does at a start of this version: it counts one try.
func loaderBoots(t *testing.T, d block.Device, v version) {
	t.Helper()
	disk := open(t, d, v)
	running, _, err := disk.look()
	if err != nil {
		t.Fatal(err)
	}
	if running.Counted() {
		if err := disk.rename(running, counted(running, max(0, running.Left-1), running.Done+1)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLife goes through all that can happen to a machine, and compares what its slots hold after each step.
func TestLife(t *testing.T) {
	v0, v1, v2 := slotstest.Make(t, "1.0.0", slotstest.RootBytes), slotstest.Make(t, "1.1.0", slotstest.RootBytes), slotstest.Make(t, "1.2.0", 64<<10)
	memory := slotstest.Factory(t, v0)
	ctx := context.Background()
	var told strings.Builder
	step := func(what string, running version, do func(*Disk) error) {
		t.Helper()
		disk := open(t, memory, running)
		done, err := disk.Repair()
		if err != nil {
			t.Fatalf("%s: repair: %v", what, err)
		}
		for _, d := range done {
			fmt.Fprintf(&told, "  repaired: %s\n", d)
		}
		err = do(disk)
		fmt.Fprintf(&told, "%s: %v\n", what, err)
		observed, err := open(t, memory, running).Observe()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&told, "  %s\n  %s\n", show(observed[0]), show(observed[1]))
	}
	nothing := func(*Disk) error { return nil }
	boots := func(v version) func(*Disk) error {
		return func(*Disk) error { loaderBoots(t, memory, v); return nil }
	}
	rollBack := func(d *Disk) error {
		to, err := d.RollBack(ctx)
		if err == nil {
			fmt.Fprintf(&told, "  to %s\n", to)
		}
		return err
	}
	step("factory", v0, nothing)
	step("roll back to nothing", v0, rollBack)
	step("arm nothing", v0, func(d *Disk) error { return d.Arm("") })
	step("reject what is committed", v0, (*Disk).Reject)
	step("begin", v0, func(d *Disk) error { _, err := d.Begin(v1.Info); return err })
	step("seal too early", v0, func(d *Disk) error { return d.Seal(ctx, v1.Info, openUKI(v1), func(string) {}) })
	step("stage", v0, func(d *Disk) error { return stage(d, v1) })
	step("stage it again", v0, func(d *Disk) error { return stage(d, v1) })
	step("seal it again", v0, func(d *Disk) error { return d.Seal(ctx, v1.Info, openUKI(v1), func(string) {}) })
	step("arm another version", v0, func(d *Disk) error { return d.Arm("1.2.0") })
	step("arm", v0, func(d *Disk) error { return d.Arm("1.1.0") })
	step("arm again", v0, func(d *Disk) error { return d.Arm("1.1.0") })
	step("stage over an armed one", v0, func(d *Disk) error { return stage(d, v2) })
	step("first boot", v1, boots(v1))
	step("stage while on probation", v1, func(d *Disk) error { return stage(d, v2) })
	step("second boot", v1, boots(v1))
	step("reject", v1, (*Disk).Reject)
	step("back", v0, nothing)
	step("stage the rejected one again", v0, func(d *Disk) error { return stage(d, v1) })
	step("arm", v0, func(d *Disk) error { return d.Arm("") })
	step("boot", v1, boots(v1))
	step("commit", v1, (*Disk).Commit)
	step("commit again", v1, (*Disk).Commit)
	step("stage an older one", v1, func(d *Disk) error { return stage(d, v0) })
	step("roll back", v1, rollBack)
	step("roll back again", v1, rollBack)
	step("boot the old one", v0, boots(v0))
	step("commit the old one", v0, (*Disk).Commit)
	step("stage over the one rolled back from", v0, func(d *Disk) error { return stage(d, v2) })
	golden.Compare(t, "testdata/life.txt", told.String())
}
