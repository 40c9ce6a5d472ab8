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
}

// place finds free slots for an entry called name, making the directory larger where it is full. entry is the short one, whose name is given here.
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
	start, end := findPlace(d.raw, found, name, count)
	if sectorEnd(end)+sectorSlots > d.slots() {
		if d, err = v.growDirectory(d, sectorEnd(end)+spareSlots); err != nil {
			return nil, nil, err
		}
	}
	if err := v.moveEnd(d, end); err != nil {
		return nil, nil, err
	}
	entry = bytes.Clone(entry)
	copy(entry, short[:])
	return v.placeAt(d, start, append(encodeLongName(name, short), entry...)), d, nil
}

func (v *Volume) placeAt(d *directory, start int, entries []byte) *placement {
	p := &placement{v: v}
	for i := 0; i*entryBytes < len(entries); i++ {
		p.offsets = append(p.offsets, v.slotOffset(d, start+i))
		p.slots = append(p.slots, entries[i*entryBytes:][:entryBytes])
	}
	return p
}

// bodies writes what may be torn. The caller flushes, with whatever else the entry needs.
func (p *placement) bodies() error {
	for i, slot := range p.slots {
		slot = bytes.Clone(slot)
		slot[0] = slotFree
		if err := p.v.write(slot, p.offsets[i], "directory entry"); err != nil {
			return err
		}
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
