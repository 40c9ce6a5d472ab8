package fat

import (
	"slices"

	"github.com/stele-os/stele/internal/bls"
)

// sectorSlots is how many slots the smallest sector holds.
const sectorSlots = 512 / entryBytes

// spareSlots are how many a new or larger directory has behind its end: a sector that firmware begins to fill, and one behind it.
const spareSlots = 2 * sectorSlots

// How a directory is arranged, so that firmware can rename in it. A boot loader that counts tries renames its entry through the firmware's driver.
// EDK2's (FatPkg/EnhancedFatDxe) marks the slots of the old name as free and puts those of the new one at the end of the directory, all in one write. Where the slots of
// either lie in two sectors, a power cut between these can leave a short name without its long one: that is another name, without a counter.
// Therefore:
//
//   - The slots of an entry lie in one sector, if it has no more than a sector holds.
//   - The end of the directory is the start of a sector; slots before it are marked as free. So two names of up to 91 characters, or three of up to 52, can
//     be put there, each in that sector.
//   - Behind the end there is a whole sector, so that the firmware need not make the directory larger.
//
// An entry whose name has tries left (armed) is the last one, at the start of a sector, and the end is right behind it: then all that the loader's
// renames change lies in one sector. In two, a power cut can leave both names; the driver then refuses to rename onto the one that is there, and the loader starts the
// version again and again without counting. Other entries do not go behind it, but where they need a new sector; names up to 52 characters have that room for two tries.
//
// Write makes directories so, but for armed entries; whoever places an entry keeps it so, at each of its writes. What firmware has put at the end since then is arranged again
// by the next call. Free slots before the end are used first and the end moves back where it can, so that a long life does not make a directory larger.
// TestArranged holds this here, TestLoaderRenames in agent/update/slots what it is for.

// sectorEnd rounds a number of slots up to whole sectors.
func sectorEnd(slots int) int { return (slots + sectorSlots - 1) / sectorSlots * sectorSlots }

// nextFit is where count slots go that are put behind slot at or later.
func nextFit(at, count int) int {
	if count <= sectorSlots && at%sectorSlots+count > sectorSlots {
		return sectorEnd(at)
	}
	return at
}

// armed tells whether an entry of this name, behind which slot end is, has tries left and room for their names in its sector.
func armed(name string, end int) bool {
	left, _, _ := bls.Tries(name)
	const suffix = 2 // "+2" becomes "+1-1"
	later := (len(name)+suffix+unitsPerLongEntry-1)/unitsPerLongEntry + 1
	return left > 0 && left <= sectorSlots && end%sectorSlots != 0 && end%sectorSlots+left*later <= sectorSlots
}

// endFor is where the end belongs: behind the last slot in use if that is an armed entry's, else at the next sector.
func endFor(raw []byte, found listing) int {
	end := lastUsed(raw, found.end)
	for _, r := range found.records {
		if r.at+1 == end && armed(r.name, end) {
			return end
		}
	}
	return sectorEnd(end)
}

// lastUsed is the slot behind the last one that is not free.
func lastUsed(raw []byte, end int) int {
	for end > 0 && raw[(end-1)*entryBytes] == slotFree {
		end--
	}
	return end
}

// findPlace finds slots for an entry, and where the end then is.
func findPlace(raw []byte, found listing, name string, count int) (start, end int) {
	if start = sectorEnd(lastUsed(raw, found.end)); armed(name, start+count) {
		return start, start + count
	}
	keep := endFor(raw, found)
	if keep%sectorSlots == 0 {
		start = findSlots(raw, found.end, found.end, count)
		return start, sectorEnd(max(found.end, start+count))
	}
	if start = findSlots(raw, keep, sectorEnd(keep), count); start < keep {
		return start, keep
	}
	return start, sectorEnd(start + count)
}

// findSlots finds the first count free slots in a row that may be an entry's. None from end to next is; all from there on are, also those that are not there yet.
func findSlots(raw []byte, end, next, count int) (start int) {
	for slot := 0; ; slot++ {
		if slot < next && (slot >= end || raw[slot*entryBytes] != slotFree) {
			start = slot + 1
		}
		if start = nextFit(start, count); slot+1 >= start+count {
			return start
		}
	}
}

// arrange moves the end to where it belongs, if there is room.
func (v *Volume) arrange(d *directory) error {
	d, err := d.again(v)
	if err != nil {
		return err
	}
	end := endFor(d.raw, scan(d.raw))
	if end%sectorSlots == 0 && end+sectorSlots > d.slots() {
		return nil
	}
	return v.moveEnd(d, end)
}

// again reads a directory again.
func (d *directory) again(v *Volume) (*directory, error) {
	now := *d
	now.raw = make([]byte, len(d.raw))
	_, err := chainReader{v, d.runs}.ReadAt(now.raw, 0)
	return &now, err
}

// moveEnd makes a slot the end. All before it, down to the old end, become free; those behind it all become ends, as a driver that puts an entry at the end need not make a new one.
// Slots between the old and the new end are free or ends, so they can be written in any order; what lies behind the old end may be anything, so it goes before.
func (v *Volume) moveEnd(d *directory, to int) error {
	end := scan(d.raw).end
	if err := v.mark(d, end, d.slots(), slotEnd); err != nil {
		return err
	}
	if err := v.mark(d, end, to, slotFree); err != nil {
		return err
	}
	return v.mark(d, to, end, slotEnd)
}

// mark gives slots this first byte, in one write a sector, and flushes. An end is all zeros: EDK2 goes on behind one that looks like a long name. Ends are empty in all their bytes: EDK2 passes over a slot with the attribute of
// a long name before it looks whether the first byte is 0, and would put the next entry behind it, where nothing else finds it (seen).
func (v *Volume) mark(d *directory, from, to int, first byte) error {
	written := false
	for at := from; at < to; at = sectorEnd(at + 1) {
		part := d.raw[at*entryBytes : min(to, sectorEnd(at+1))*entryBytes]
		marked := slices.Clone(part)
		for i := 0; i < len(marked); i += entryBytes {
			if first == slotEnd {
				clear(marked[i : i+entryBytes])
			}
			if first == slotEnd {
				clear(marked[i : i+entryBytes])
			}
			marked[i] = first
		}
		if slices.Equal(part, marked) {
			continue
		}
		if err := v.write(marked, v.slotOffset(d, at), "directory entry"); err != nil {
			return err
		}
		copy(part, marked)
		written = true
	}
	if !written {
		return nil
	}
	return v.flush()
}
