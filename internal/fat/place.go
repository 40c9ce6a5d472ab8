package fat

import (
	"bytes"
	"fmt"
	"io/fs"
)

// placement is where a new entry goes in a directory, and how it gets there so that no reader ever sees a part of it:
//
//  1. bodies: every slot of it, but with the first byte of a free slot; flush
//  2. numbers: the first bytes of the long name's parts, one byte a write; flush. Parts without a short entry are no entry
//  3. commit: the first byte of the short entry; flush
//
// A byte is the smallest thing a disk writes, so no torn sector can show anything in between.
type placement struct {
	v       *Volume
	offsets []int64 // of the slots
	slots   [][]byte
	hidden  []byte // first byte of each slot until it counts
	// terminator is a slot behind the last one that has to become the new end, -1 if there is none.
	terminator int64
}

// place finds room for an entry called name, making the directory larger where it is full. entry is the short one, whose name is given here.
func (v *Volume) place(d *directory, name string, entry []byte) (*placement, *directory, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	found := scan(d.raw)
	if found.find(name) != nil {
		return nil, nil, fmt.Errorf("it is there already: %w", fs.ErrExist)
	}
	short, err := shortName(name, found.taken())
	if err != nil {
		return nil, nil, err
	}
	count := longEntries(name, short) + 1
	start, ok := findSlots(d.raw, found.end, count)
	if !ok {
		if d, err = v.growDirectory(d, count); err != nil {
			return nil, nil, err
		}
		start, _ = findSlots(d.raw, found.end, count)
	}
	entry = bytes.Clone(entry)
	copy(entry, short[:])
	return v.placeAt(d, start, found.end, append(encodeLongName(name, short), entry...)), d, nil
}

func (v *Volume) placeAt(d *directory, start, end int, entries []byte) *placement {
	p := &placement{v: v, terminator: -1}
	for i := 0; i*entryBytes < len(entries); i++ {
		hidden := byte(slotFree)
		if start+i >= end {
			hidden = slotEnd
		}
		p.offsets = append(p.offsets, v.slotOffset(d, start+i))
		p.slots = append(p.slots, entries[i*entryBytes:][:entryBytes])
		p.hidden = append(p.hidden, hidden)
	}
	if after := start + len(p.slots); after > end && after < d.slots() && d.raw[after*entryBytes] != slotEnd {
		p.terminator = v.slotOffset(d, after)
	}
	return p
}

// findSlots finds the first count free slots in a row. All from end on are free.
func findSlots(raw []byte, end, count int) (start int, ok bool) {
	for slot := range len(raw) / entryBytes {
		if slot < end && raw[slot*entryBytes] != slotFree {
			start = slot + 1
		}
		if slot+1-start == count {
			return start, true
		}
	}
	return 0, false
}

// bodies writes what may be torn. The caller flushes, with whatever else the entry needs.
func (p *placement) bodies() error {
	for i, slot := range p.slots {
		slot = bytes.Clone(slot)
		slot[0] = p.hidden[i]
		if err := p.v.write(slot, p.offsets[i], "directory entry"); err != nil {
			return err
		}
	}
	if p.terminator >= 0 {
		return p.v.write([]byte{slotEnd}, p.terminator, "end of directory")
	}
	return nil
}

// commit makes the entry visible, all at once.
func (p *placement) commit() error {
	last := len(p.slots) - 1
	for i, slot := range p.slots[:last] {
		if err := p.v.write(slot[:1], p.offsets[i], "directory entry"); err != nil {
			return err
		}
	}
	if last > 0 {
		if err := p.v.flush(); err != nil {
			return err
		}
	}
	if err := p.v.write(p.slots[last][:1], p.offsets[last], "directory entry"); err != nil {
		return err
	}
	return p.v.flush()
}

// hide takes an entry out of its directory at once: the short one first. The parts of its long name then belong to nobody; dropParts
// takes them, in any order with other things.
func (v *Volume) hide(d *directory, r record) error {
	if err := v.write([]byte{slotFree}, v.slotOffset(d, r.at), "directory entry"); err != nil {
		return err
	}
	return v.flush()
}

func (v *Volume) dropParts(d *directory, slots []int) error {
	for _, slot := range slots {
		if err := v.write([]byte{slotFree}, v.slotOffset(d, slot), "directory entry"); err != nil {
			return err
		}
	}
	return nil
}

// parts are the slots of the record's long name.
func (r record) parts() (slots []int) {
	for slot := r.at - r.long; slot < r.at; slot++ {
		slots = append(slots, slot)
	}
	return slots
}
