package gpt

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// testEndsBytes at either end of a disk hold a copy of its table.
const testEndsBytes = 64 << 10

// TestUpdateSurvivesPowerCut cuts a change after every written sector, from every state of the two copies that an earlier cut can have left:
// the table read is always the old or the new one.
func TestUpdateSurvivesPowerCut(t *testing.T) {
	cut := errors.New("power cut")
	for _, sector := range []int64{512, 4096} {
		before := testTable(t, testDiskBytes, sector)
		after := before.Clone()
		after.Partition(2).GUID = MustGUID("bbbbbbbb-0000-8000-8000-000000000002")
		for name, damage := range map[string]func(memDisk){
			"both good":         func(memDisk) {},
			"primary is torn":   func(d memDisk) { d[2*sector+70]++ },
			"primary is gone":   func(d memDisk) { clear(d[:6*sector]) },
			"backup is torn":    func(d memDisk) { d[testDiskBytes-sector+20]++ },
			"backup is the new": func(d memDisk) { copy(d[testDiskBytes-40*sector:], written(t, after)[testDiskBytes-40*sector:]) },
		} {
			start := written(t, before)
			damage(start)
			disk := bytes.Clone(start)
			var err error
			for sectors := 0; sectors == 0 || err != nil; sectors++ {
				copy(disk, start[:testEndsBytes])
				copy(disk[testDiskBytes-testEndsBytes:], start[testDiskBytes-testEndsBytes:])
				err = after.Update(&cutDisk{disk, sectors, cut}, noSync)
				got, _, decodeErr := Decode(memDisk(disk), testDiskBytes, sector)
				if decodeErr != nil {
					t.Fatalf("sector %d, %s, cut after %d sectors: %v", sector, name, sectors, decodeErr)
				}
				if !slices.Equal(got.Partitions, before.Partitions) && !slices.Equal(got.Partitions, after.Partitions) {
					t.Fatalf("sector %d, %s, cut after %d sectors: %+v", sector, name, sectors, got.Partitions)
				}
			}
		}
	}
}

func TestUpdate(t *testing.T) {
	table := testTable(t, testDiskBytes, 512)
	disk := written(t, table)
	if err := table.Update(&cutDisk{disk, 0, errors.New("a write")}, noSync); err != nil {
		t.Errorf("a table that is there is written again: %v", err)
	}
	failed := errors.New("no sync")
	changed := table.Clone()
	changed.Partition(2).GUID = GUID{7}
	if err := changed.Update(disk, func() error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
}
