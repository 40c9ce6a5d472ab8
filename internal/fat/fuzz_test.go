package fat

import (
	"errors"
	"io"
	"testing"

	"github.com/stele-os/stele/internal/block"
)

// patchBytes is the length of one change of the fuzzed volume: an area, an offset in it, a byte.
const patchBytes = 4

// applyPatches damages the volume: areas are boot sector, FSInfo, the start of both tables, and the first clusters.
func applyPatches(d block.Device, l layout, patches []byte) {
	areas := []int64{0, l.info, l.tables[0], l.tables[1]}
	for cluster := uint32(2); cluster < 20; cluster++ {
		areas = append(areas, l.clusterOffset(cluster))
	}
	for ; len(patches) >= patchBytes; patches = patches[patchBytes:] {
		at := areas[int(patches[0])%len(areas)] + int64(le.Uint16(patches[1:]))%l.sectorBytes
		_, _ = d.WriteAt(patches[3:4], at)
	}
}

// FuzzVolume damages a volume and calls everything: an error is fine; a panic, an endless loop, or an access outside is not. Memory refuses the last, and
// such an error would show as block.ErrOutside.
func FuzzVolume(f *testing.F) {
	base := memoryVolume(f, MinBytes, volumeFiles())
	l := open(f, base).layout
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, patches []byte) {
		d := base.Clone()
		applyPatches(d, l, patches)
		v, err := Open(d)
		if err != nil {
			mustStayInside(t, err)
			return
		}
		for _, dir := range []string{"", "EFI", linux, "loader", "stele"} {
			entries, err := v.List(dir)
			mustStayInside(t, err)
			for _, e := range entries[:min(len(entries), 20)] {
				file, err := v.OpenFile(join(dir, e.Name))
				mustStayInside(t, err)
				if err == nil {
					_, err = io.Copy(io.Discard, io.LimitReader(file, 1<<20))
					mustStayInside(t, err)
				}
			}
		}
		mustStayInside(t, v.Create(linux+"/new.efi", 1000, text(1000)))
		mustStayInside(t, v.Rename(linux, "new.efi", "a-long-name.efi"))
		_, err = v.Repair(linux)
		mustStayInside(t, err)
		mustStayInside(t, v.Remove(linux+"/stele_1.0.0.efi"))
		if _, err = v.FreeBytes(); err != nil {
			t.Error(err)
		}
	})
}

func mustStayInside(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, block.ErrOutside) {
		t.Fatal(err)
	}
}

// FuzzScan reads a directory of arbitrary bytes: names come from slots that are there, and long ones end where they begin.
func FuzzScan(f *testing.F) {
	f.Add(encodeEntry(packShort("SHORT", "EFI"), attributeArchive, 2, 1, testParams.Time))
	f.Add(append(encodeLongName("stele_1.1.0~rc1+2-1.efi", packShort("STELE_~1", "EFI")), encodeEntry(packShort("STELE_~1", "EFI"), attributeArchive, 2, 1, testParams.Time)...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := scan(raw)
		free := -1
		for _, r := range l.records {
			if r.at >= l.end || r.at-r.long <= free || r.name == "" && r.long > 0 {
				t.Fatalf("%+v, end %d", r, l.end)
			}
			free = r.at
		}
		for _, slot := range l.orphans {
			if slot >= l.end {
				t.Fatalf("orphan %d, end %d", slot, l.end)
			}
		}
		for count := range 22 {
			start := findSlots(raw, l.end, l.end, count+1)
			for slot := start; slot < min(l.end, start+count+1); slot++ {
				if raw[slot*entryBytes] != slotFree {
					t.Fatalf("%d slots at %d: slot %d is not free", count+1, start, slot)
				}
			}
			if count < sectorSlots && start/sectorSlots != (start+count)/sectorSlots {
				t.Fatalf("%d slots at %d lie in two sectors", count+1, start)
			}
		}
	})
}
