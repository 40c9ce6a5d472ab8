package bootmodel

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bls"
)

// CountTry does to a disk what the loader writes before it starts an entry with a counter, so that power cuts in that can be explored too: it returns the new name, or "" where the
// entry has no counter and nothing is written. So it is where the new name is there already: FatSetFileInfo answers EFI_ACCESS_DENIED, and systemd-boot goes on.
//
// The writes are those of EDK2 (FatPkg/EnhancedFatDxe: FatSetFileInfo, FatRemoveDirEnt, FatCreateDirEnt; as QEMU's log of a real boot shows them): the slots of the old name
// are marked as deleted, those of the new one appended behind the last slot ever used, never into free ones before; both reach the disk in one write of the directory.
func CountTry(d block.Device) (string, error) {
	f, err := findFirmware(d)
	if err != nil {
		return "", err
	}
	candidates, err := f.candidates()
	if err != nil {
		return "", err
	}
	old := candidates[choose(candidates)].entry.File
	name, counted := tried(old)
	if !counted || taken(candidates, name) {
		return "", nil
	}
	dir, err := f.esp.find("EFI/Linux")
	if err != nil {
		return "", err
	}
	if err := f.esp.rename(dir, old, name); err != nil {
		return "", fmt.Errorf("cannot rename %q to %q as the loader does: %w", old, name, err)
	}
	return name, f.esp.dev.Flush()
}

// rename changes the directory in memory and writes the clusters that differ.
func (v *volume) rename(dir file, from, to string) error {
	chain, err := v.chain(dir.first, maxDirectoryEntries*entryBytes/v.clusterBytes)
	if err != nil {
		return err
	}
	raw := make([]byte, int64(len(chain))*v.clusterBytes)
	for i, c := range chain {
		if err := v.readCluster(raw[int64(i)*v.clusterBytes:][:v.clusterBytes], c); err != nil {
			return err
		}
	}
	before := bytes.Clone(raw)
	if err := renameSlots(raw, from, to); err != nil {
		return err
	}
	for i, c := range chain {
		at := int64(i) * v.clusterBytes
		if after := raw[at : at+v.clusterBytes]; !bytes.Equal(after, before[at:at+v.clusterBytes]) {
			if _, err := v.dev.WriteAt(after, v.dataStart+int64(c-2)*v.clusterBytes); err != nil {
				return err
			}
		}
	}
	return nil
}

func renameSlots(raw []byte, from, to string) error {
	var slots [][]byte
	// The driver passes over labels and long names before it looks for the end: one with a zero first is none (seen: FatLoadNextDirEnt).
	for at := 0; at < len(raw) && (raw[at] != markEnd || raw[at+11]&attrVolume != 0); at += entryBytes {
		slots = append(slots, raw[at:at+entryBytes])
	}
	for i, e := range slots {
		if e[0] == markDeleted || e[11]&attrVolume != 0 {
			continue
		}
		if name, long := longName(slots[:i], e); !long || name != from {
			continue
		}
		set := append(longSlots(to, checksum(e[:11])), bytes.Clone(e)...)
		end := len(slots) * entryBytes
		if end+len(set) > len(raw) {
			return errors.New("the directory is full, and growing it is not modelled")
		}
		for k := i; ; k-- {
			last := k < i && slots[k][0]&lastLong != 0
			slots[k][0] = markDeleted
			if last {
				break
			}
		}
		copy(raw[end:], set)
		return nil
	}
	return errors.New("it is not there")
}

// longSlots are the parts of a long name, the last one first (FAT specification, "FAT Long Directory Entries").
func longSlots(name string, sum byte) []byte {
	const perSlot = 13
	units := utf16.Encode([]rune(name))
	count := (len(units) + perSlot - 1) / perSlot
	if len(units) < count*perSlot {
		units = append(units, 0)
	}
	for len(units) < count*perSlot {
		units = append(units, 0xffff)
	}
	var b []byte
	for n := count; n >= 1; n-- {
		e := make([]byte, entryBytes)
		e[0], e[11], e[13] = byte(n), attrLong, sum
		if n == count {
			e[0] |= lastLong
		}
		part := units[(n-1)*perSlot:][:perSlot]
		for i, u := range part {
			le.PutUint16(e[[perSlot]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30}[i]:], u)
		}
		b = append(b, e...)
	}
	return b
}

// Ghost tells whether an entry is what is left of a long name: a short one, which has no counter, so that the loader takes a new version for a good one.
func Ghost(entry string) bool {
	n, err := bls.ParseName(entry)
	return err == nil && !n.Counted && entry == shortForm(entry)
}

// shortForm is the entry in the letters of a short name.
func shortForm(entry string) string {
	if len(entry) > 12 {
		return ""
	}
	return string(bytes.ToUpper([]byte(entry)))
}
