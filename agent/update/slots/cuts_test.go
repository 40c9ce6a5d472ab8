package slots

import (
	"context"
	"errors"
	"testing"

	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/powercut"
)

// cut is one operation whose power cuts are tried.
type cut struct {
	name string
	// base is the disk before it, on which running runs.
	base    *block.Memory
	running version
	do      func(block.Device) error
	// boots are the versions that may boot after a power cut, apart from running. Empty: none.
	boots []version
	// goOn continues on a machine that has booted v and whose disk was repaired; then the disk boots to.
	goOn func(d *Disk, v version) error
	to   version
	// tries are the failed boots that may come before: those of a version whose root was damaged behind everyone's back.
	tries int
}

// versions of all scenarios.
type versions struct{ v0, v1, v2 version }

func makeVersions(t testing.TB) versions {
	return versions{slotstest.Make(t, "1.0.0", 32<<10), slotstest.Make(t, "1.1.0", slotstest.RootBytes), slotstest.Make(t, "1.2.0", 64<<10)}
}

// on opens the disk and does something with it.
func on(running version, do func(*Disk) error) func(block.Device) error {
	return func(d block.Device) error {
		disk, err := openDisk(d, running)
		if err != nil {
			return err
		}
		return do(disk)
	}
}

// after gives a copy of base on which an operation was done.
func after(t testing.TB, base *block.Memory, operations ...func(block.Device) error) *block.Memory {
	t.Helper()
	disk := base.Clone()
	for _, do := range operations {
		if err := do(disk); err != nil {
			t.Fatal(err)
		}
	}
	return disk
}

func stageOf(v version) func(*Disk) error { return func(d *Disk) error { return stage(d, v) } }

func arm(d *Disk) error { return d.Arm("") }

func rollBack(d *Disk) error {
	_, err := d.RollBack(context.Background())
	return err
}

// stageAgain is what the manager does after a restart: what is staged stays so.
func stageAgain(v version) func(*Disk, version) error {
	return func(d *Disk, _ version) error {
		_, other, err := d.look()
		if err != nil || other.State == "staged" && other.RootHash == v.Info.RootHash {
			return err
		}
		return stage(d, v)
	}
}

// half is a staging that ends after the first part of the root, as the power or the network would end it.
func half(v version) func(*Disk) error {
	return func(d *Disk) error {
		to, err := d.Begin(v.Info)
		if err != nil {
			return err
		}
		_, err = to.Root.WriteAt(v.Root[:copyUnit], 0)
		return errors.Join(err, d.device.Flush())
	}
}

// rootB is where the root of slot b begins.
func rootB(t testing.TB, d block.Device) int64 {
	t.Helper()
	table, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		t.Fatal(err)
	}
	return table.StartBytes(*table.ByName("root-b"))
}

func loaded(t testing.TB) func(block.Device) error {
	return func(d block.Device) error { slotstest.Load(t, d); return nil }
}

func cuts(t testing.TB, v versions) []cut {
	v0, v1, v2 := v.v0, v.v1, v.v2
	factory := slotstest.Factory(t, v0)
	staged := after(t, factory, on(v0, stageOf(v1)))
	armed := after(t, staged, on(v0, arm))
	proving := after(t, armed, loaded(t))
	committed := after(t, proving, on(v1, (*Disk).Commit))
	rejected := after(t, proving, on(v1, (*Disk).Reject))
	begun := after(t, factory, on(v0, half(v2)))
	rotten := after(t, staged, func(d block.Device) error {
		_, err := d.WriteAt([]byte{0x55}, rootB(t, d)+5000)
		return err
	})
	rolledBack := after(t, committed, on(v1, rollBack), loaded(t))
	// settle ends what the reboot after an operation began: a version that proves itself is good.
	settle := func(then func(*Disk) error, from version) func(*Disk, version) error {
		return func(d *Disk, booted version) error {
			if booted.Info.Version == from.Info.Version {
				return then(d)
			}
			return d.Commit()
		}
	}
	commit := func(d *Disk, _ version) error { return d.Commit() }
	nothing := func(*Disk, version) error { return nil }
	back := func(d *Disk, booted version) error {
		if booted.Info.Version == v1.Info.Version {
			return d.Reject()
		}
		return nil
	}
	return []cut{
		{name: "stage", base: factory, running: v0, do: on(v0, stageOf(v1)), goOn: stageAgain(v1), to: v0},
		{name: "stage over a rejected version", base: rejected, running: v0, do: on(v0, stageOf(v2)), goOn: stageAgain(v2), to: v0},
		{name: "stage the rejected version again", base: rejected, running: v0, do: on(v0, stageOf(v1)), goOn: stageAgain(v1), to: v0},
		{name: "stage over the old version", base: committed, running: v1, do: on(v1, stageOf(v2)), goOn: stageAgain(v2), to: v1},
		{name: "resume", base: begun, running: v0, do: on(v0, stageOf(v2)), goOn: stageAgain(v2), to: v0},
		{name: "another version over half of one", base: begun, running: v0, do: on(v0, stageOf(v1)), goOn: stageAgain(v1), to: v0},
		{name: "apply", base: staged, running: v0, do: on(v0, arm), boots: []version{v1}, goOn: settle(arm, v0), to: v1},
		{name: "apply what has rotted", base: rotten, running: v0, do: on(v0, arm), goOn: nothing, to: v0, tries: Tries},
		{name: "commit", base: proving, running: v1, do: on(v1, (*Disk).Commit), goOn: commit, to: v1},
		{name: "reject", base: proving, running: v1, do: on(v1, (*Disk).Reject), boots: []version{v0}, goOn: back, to: v0},
		{name: "roll back", base: committed, running: v1, do: on(v1, rollBack), boots: []version{v0}, goOn: settle(rollBack, v1), to: v0},
		{name: "commit after a rollback", base: rolledBack, running: v0, do: on(v0, (*Disk).Commit), goOn: commit, to: v0},
	}
}

// record notes what an operation writes.
func (c cut) record() (powercut.Log, error) {
	recorder := powercut.Record(c.base.Clone())
	err := c.do(recorder)
	return recorder.Log(), err
}
