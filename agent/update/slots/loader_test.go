package slots

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/powercut"
)

// loaderTries are the starts in a row that are tried: both tries of a version, and what comes then.
const loaderTries = Tries + 1

// loader lets the loader start the machine again and again, and cuts the power at every sector of each rename, as the firmware's driver writes it
// (bootmodel.CountTry). Each time a version boots that may, none that lost its counter, and the machine repairs its disk.
func (j *judge) loader(c cut, disk *block.Memory, tries int) (states int, err error) {
	c.boots = []version{j.v0, j.v1, j.v2} // those the disk holds: a cut can also lose the entry, and then the other version boots
	c.tries *= 2                          // two names of one file are tried each
	disk = disk.Clone()
	for range tries {
		recorder := powercut.Record(disk.Clone())
		name, err := bootmodel.CountTry(recorder)
		if err != nil || name == "" {
			return states, err
		}
		stats, err := powercut.Explore(disk, recorder.Log(), powercut.Options{}, func(s powercut.State) error { return j.counted(c, s.Disk) })
		states += stats.States
		if err != nil {
			return states, fmt.Errorf("while the loader renames to %q: %w", name, err)
		}
		if err := recorder.Log().Apply(disk, len(recorder.Log())); err != nil {
			return states, err
		}
	}
	return states, nil
}

func (j *judge) counted(c cut, disk block.Device) error {
	booted, err := j.boots(c, disk)
	if err != nil {
		return err
	}
	d, err := openDisk(disk, booted)
	if err != nil {
		return err
	}
	if err := noGhost(d.esp); err != nil {
		return err
	}
	if _, err := d.Repair(); err != nil {
		return err
	}
	_, err = j.boots(c, disk)
	return errors.Join(err, noGhost(d.esp))
}

// noGhost: no entry has only what is left of its name.
func noGhost(esp *fat.Volume) error {
	files, err := esp.List(EntryDirectory)
	if err != nil {
		return err
	}
	for _, f := range files {
		if bootmodel.Ghost(f.Name) {
			return fmt.Errorf("%q is without its long name", f.Name)
		}
	}
	return nil
}

// TestLoaderRenames: whatever the machine did to the disk last, the loader can rename the entry it starts, and a power cut meanwhile leaves the old or the new version.
func TestLoaderRenames(t *testing.T) {
	v := makeVersions(t)
	var states atomic.Int64
	t.Run("", func(t *testing.T) {
		for _, c := range cuts(t, v) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				j := newJudge(v)
				done := after(t, c.base, c.do)
				for _, disk := range []*block.Memory{c.base, done} {
					n, err := j.loader(c, disk, loaderTries)
					if states.Add(int64(n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	})
	t.Logf("%d states", states.Load())
	if states.Load() == 0 {
		t.Error("the loader never renamed")
	}
}

// TestManyUpdates: a long life of updates, good and bad ones, leaves the ESP as empty as it was, and the loader can always rename.
func TestManyUpdates(t *testing.T) {
	running := slotstest.Make(t, "1.0.0", slotBlock)
	disk := slotstest.Factory(t, running)
	free := map[int]int64{}
	for i := range 50 {
		next := slotstest.Make(t, fmt.Sprintf("1.%d.0", i+1), slotBlock)
		d := open(t, disk, running)
		if _, err := d.Repair(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(stage(d, next), d.Arm("")); err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0: // good at once
			slotstest.Load(t, disk)
			running = next
		case 1: // never comes up
			slotstest.Load(t, disk)
			slotstest.Load(t, disk)
			if back := slotstest.Load(t, disk); back != running.Info.Version {
				t.Fatalf("version %s boots", back)
			}
			continue
		default: // comes up at the second try
			slotstest.Load(t, disk)
			slotstest.Load(t, disk)
			running = next
		}
		if err := open(t, disk, running).Commit(); err != nil {
			t.Fatal(err)
		}
		bytes, err := slotstest.ESP(t, disk).FreeBytes()
		if err != nil {
			t.Fatal(err)
		}
		if free[i] = bytes; i > 2 && bytes < free[2] {
			t.Fatalf("after %d updates %d bytes are free, after three %d", i+1, bytes, free[2])
		}
	}
	t.Log(slotstest.Entries(t, disk))
}

const slotBlock = 4 << 10
