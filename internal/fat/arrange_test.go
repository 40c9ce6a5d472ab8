package fat

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// arranged tells what is wrong with the place of entries and of the end.
func arranged(v *Volume, dir string) error {
	d, err := v.openDirectory(dir)
	if err != nil {
		return err
	}
	found := scan(d.raw)
	for _, r := range found.records {
		if r.long < sectorSlots && (r.at-r.long)/sectorSlots != r.at/sectorSlots {
			return fmt.Errorf("%q lies in two sectors", r.name)
		}
	}
	switch {
	case found.end%sectorSlots != 0 && found.end != endFor(d.raw, found):
		return fmt.Errorf("the end of %q is slot %d", dir, found.end)
	case found.end%sectorSlots == 0 && found.end+sectorSlots > d.slots():
		return fmt.Errorf("the end of %q is slot %d of %d", dir, found.end, d.slots())
	}
	for slot := found.end; slot < d.slots(); slot++ {
		if !bytes.Equal(d.raw[slot*entryBytes:][:entryBytes], make([]byte, entryBytes)) {
			return fmt.Errorf("slot %d of %q is in use behind the end, %d", slot, dir, found.end)
		}
	}
	return nil
}

// byFirmware is the name that renamedByFirmware leaves.
const byFirmware = "stele_1.0.5+1-1.efi"

// renamedByFirmware leaves a file that firmware has renamed: its old slots are free, the new ones at the end.
func renamedByFirmware(v *Volume) error {
	const old = "stele_1.0.5+2.efi"
	if err := v.Create(linux+"/"+old, 700, text(700)); err != nil {
		return err
	}
	return firmwareRename(v, old, byFirmware)
}

func firmwareRename(v *Volume, from, to string) error {
	d, err := v.openDirectory(linux)
	if err != nil {
		return err
	}
	found := scan(d.raw)
	r := found.find(from)
	set := append(encodeLongName(to, r.short), d.raw[r.at*entryBytes:][:entryBytes]...)
	if found.end*entryBytes+len(set) > len(d.raw) {
		return errors.New("firmware would have to make the directory larger")
	}
	if first, last := found.end/sectorSlots, (found.end+len(set)/entryBytes-1)/sectorSlots; first != last {
		return errors.New("firmware would write two sectors")
	}
	for slot := r.at - r.long; slot <= r.at; slot++ {
		d.raw[slot*entryBytes] = slotFree
	}
	copy(d.raw[found.end*entryBytes:], set)
	return v.writeRuns(d)
}

// TestArranged: what Write makes is arranged, and a life of updates with renames of firmware keeps it so, in the same clusters.
func TestArranged(t *testing.T) {
	m := memoryVolume(t, MinBytes, testFiles())
	for _, dir := range []string{"", "EFI", linux, "loader", "many"} {
		check(t, arranged(open(t, m), dir))
	}
	v := open(t, memoryVolume(t, MinBytes, volumeFiles()))
	for _, suffix := range []string{"", strings.Repeat("x", 40)} { // then names of 60 characters
		slots := 0
		for i := range 50 {
			name := fmt.Sprintf("stele_2.%d.0%s", i, suffix)
			check(t, v.Create(linux+"/"+name+".new", 9, bytes.NewReader(make([]byte, 9))))
			check(t, v.Rename(linux, name+".new", name+"+0.efi"))
			check(t, v.Rename(linux, name+"+0.efi", name+"+2.efi"))
			check(t, firmwareRename(v, name+"+2.efi", name+"+1-1.efi"))
			check(t, firmwareRename(v, name+"+1-1.efi", name+"+0-2.efi"))
			check(t, v.Rename(linux, name+"+0-2.efi", name+".efi"))
			check(t, arranged(v, linux))
			for _, other := range names(t, v, linux) {
				if other != name+".efi" {
					check(t, v.Remove(linux+"/"+other))
				}
			}
			d, err := v.openDirectory(linux)
			check(t, err)
			if i > 2 && d.slots() != slots {
				t.Fatalf("update %d: %d slots, before %d", i, d.slots(), slots)
			}
			slots = d.slots()
		}
		t.Logf("%d slots", slots)
	}
}

const armedName = "stele_1.0.5+2.efi"

// armOne leaves an armed entry among free slots.
func armOne(v *Volume) error {
	return errors.Join(holes(v), v.Create(linux+"/stele_1.0.5+0.efi", 700, text(700)), v.Rename(linux, "stele_1.0.5+0.efi", armedName))
}

// TestArmed: both renames of the loader change one sector, with Repair or without between them, and other entries go elsewhere; a name that is too long is placed as all are.
func TestArmed(t *testing.T) {
	for _, length := range []int{15, 40, 50, 51, 60} {
		for _, repair := range []bool{false, true} {
			v := open(t, memoryVolume(t, MinBytes, volumeFiles()))
			stem := "stele_" + strings.Repeat("1", length-len("stele_+2.efi"))
			check(t, crowd(linux, 5)(v))
			check(t, v.Create(linux+"/"+stem+"+0.efi", 9, text(9)))
			check(t, v.Rename(linux, stem+"+0.efi", stem+"+2.efi"))
			check(t, v.Rename(linux, "stele_0.9.1+0-3.efi", "stele_0.9.1+0-1.efi"))
			check(t, arranged(v, linux))
			first := sectorOfEntry(t, v, stem+"+2.efi")
			check(t, firmwareRename(v, stem+"+2.efi", stem+"+1-1.efi"))
			if repair {
				_, err := v.Repair(linux)
				check(t, err)
				check(t, arranged(v, linux))
			}
			second := sectorOfEntry(t, v, stem+"+1-1.efi")
			check(t, firmwareRename(v, stem+"+1-1.efi", stem+"+0-2.efi"))
			third := sectorOfEntry(t, v, stem+"+0-2.efi")
			if one := first == second && second == third; one != (length <= 50) {
				t.Errorf("a name of %d: sectors %d, %d, %d", length, first, second, third)
			}
		}
	}
}

func sectorOfEntry(t *testing.T, v *Volume, name string) int {
	t.Helper()
	d, err := v.openDirectory(linux)
	check(t, err)
	found := scan(d.raw)
	r := found.find(name)
	if r == nil {
		t.Fatalf("%q is not there", name)
	}
	return r.at / sectorSlots
}
