package slots

import (
	"bytes"
	"runtime/debug"
	"testing"

	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/block"
)

// careless is a device whose user forgot to flush.
type careless struct{ block.Device }

func (careless) Flush() error { return nil }

// create puts a boot entry onto the ESP under this name, at once.
func create(d *Disk, v version, name string) error {
	return d.esp.Create(EntryDirectory+"/"+name, int64(len(v.UKI)), bytes.NewReader(v.UKI))
}

// claim gives slot b the PARTUUIDs of v.
func claim(d *Disk, v version) error {
	root, tree, err := halves(v.Info.RootHash)
	if err != nil {
		return err
	}
	return d.setGUIDs("b", root, tree)
}

// steps does one after the other.
func steps(d *Disk, list ...func() error) error {
	for _, step := range list {
		if err := step(); err != nil {
			return err
		}
	}
	return d.device.Flush()
}

// TestPowerCutsFindMistakes makes mistakes in the order of writes, each of which an update could be built with, and expects that the judge of
// TestPowerCuts finds a disk that gives it away.
func TestPowerCutsFindMistakes(t *testing.T) {
	gc := debug.SetGCPercent(800)
	t.Cleanup(func() { debug.SetGCPercent(gc) })
	v := makeVersions(t)
	v0, v1, v2 := v.v0, v.v1, v.v2
	factory := slotstest.Factory(t, v0)
	proving := after(t, factory, on(v0, stageOf(v1)), on(v0, arm), loaded(t))
	committed := after(t, proving, on(v1, (*Disk).Commit))
	torn := v1
	torn.Root = append([]byte{v1.Root[0] + 1}, v1.Root[1:]...)
	staging := func(do func(*Disk, Target) error) func(block.Device) error {
		return on(v0, func(d *Disk) error {
			to, err := d.Begin(v1.Info)
			if err != nil {
				return err
			}
			return do(d, to)
		})
	}
	holding := func(v version) *block.Memory {
		return after(t, factory, staging(func(d *Disk, to Target) error { return steps(d, func() error { return copyTo(v, to) }) }))
	}
	for _, c := range []cut{
		{name: "nothing is flushed", base: factory, running: v0, goOn: stageAgain(v1), to: v0, do: func(d block.Device) error {
			return on(v0, stageOf(v1))(careless{d})
		}},
		{name: "the table's two copies are not apart", base: factory, running: v0, goOn: stageAgain(v1), to: v0, do: func(d block.Device) error {
			return on(v0, func(d *Disk) error { return d.clearGUIDs("b") })(careless{d})
		}},
		{name: "the entry is there before its root", base: factory, running: v0, boots: []version{v1}, goOn: stageAgain(v1), to: v0,
			do: staging(func(d *Disk, to Target) error {
				return steps(d, func() error { return claim(d, v1) }, func() error { return create(d, v1, "stele_1.1.0+2.efi") },
					func() error { return copyTo(v1, to) })
			})},
		{name: "the entry is there before its PARTUUIDs", base: holding(v1), running: v0, boots: []version{v1}, goOn: stageAgain(v1), to: v0,
			do: on(v0, func(d *Disk) error {
				return steps(d, func() error { return create(d, v1, "stele_1.1.0+2.efi") }, func() error { return claim(d, v1) })
			})},
		{name: "what was written is not verified", base: holding(torn), running: v0, boots: []version{v1}, goOn: stageAgain(v1), to: v0,
			do: on(v0, func(d *Disk) error {
				return steps(d, func() error { return claim(d, v1) }, func() error { return create(d, v1, "stele_1.1.0+2.efi") })
			})},
		{name: "a staged version has no counter", base: holding(v1), running: v0, goOn: stageAgain(v1), to: v0,
			do: on(v0, func(d *Disk) error {
				return steps(d, func() error { return claim(d, v1) }, func() error { return create(d, v1, "stele_1.1.0.efi") })
			})},
		{name: "the old version's entry stays while its slot is written", base: committed, running: v1, goOn: stageAgain(v2), to: v1,
			do: on(v1, func(d *Disk) error {
				to, err := d.target("b", "a")
				if err != nil {
					return err
				}
				return steps(d, func() error { return copyTo(v2, to) })
			})},
		{name: "commit removes before it creates", base: proving, running: v1, goOn: func(d *Disk, _ version) error { return d.Commit() }, to: v1,
			do: on(v1, func(d *Disk) error {
				return steps(d, func() error { return d.esp.Remove(EntryDirectory + "/stele_1.1.0+1-1.efi") },
					func() error { return create(d, v1, "stele_1.1.0.efi") })
			})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stats, err := newJudge(v).explore(c)
			if err == nil {
				t.Errorf("it is not found: %s", stats)
			}
			t.Log(err)
		})
	}
}
