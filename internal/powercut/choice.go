package powercut

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/stele-os/stele/internal/block"
)

// choice is what of a window's writes reached the disk, in their order.
type choice []part

// part is one write of the choice.
type part struct {
	// write is the index in the window.
	write int
	// sectors are those of the write that were written, ascending; nil for all.
	sectors []int
	// torn is the sector that was written in part; only where tear is not nil.
	torn int
	// tear tells for each byte of the torn sector whether it is the new one.
	tear *tear
}

// whole is the choice of whole writes for which has holds.
func whole(n int, has func(i int) bool) choice {
	var c choice
	for i := range n {
		if has(i) {
			c = append(c, part{write: i})
		}
	}
	return c
}

// with puts p among the whole writes of c, which has not p's.
func (c choice) with(p part) choice {
	return slices.SortedFunc(slices.Values(append(slices.Clone(c), p)), func(a, b part) int { return cmp.Compare(a.write, b.write) })
}

func (c choice) apply(d *block.Memory, writes []Op) error {
	for _, p := range c {
		if err := p.apply(d, writes[p.write]); err != nil {
			return err
		}
	}
	return nil
}

func (p part) apply(d *block.Memory, op Op) error {
	if p.sectors == nil && p.tear == nil {
		_, err := d.WriteAt(op.Data, op.Offset)
		return err
	}
	for _, i := range p.sectors {
		data, at := sectorOf(op, i, d.SectorSize())
		if _, err := d.WriteAt(data, at); err != nil {
			return err
		}
	}
	if p.tear == nil {
		return nil
	}
	data, at := sectorOf(op, p.torn, d.SectorSize())
	mixed := make([]byte, len(data))
	if _, err := d.ReadAt(mixed, at); err != nil {
		return err
	}
	p.tear.mix(mixed, data)
	_, err := d.WriteAt(mixed, at)
	return err
}

// sectorOf is the part of a write that lies in the i-th sector it touches.
func sectorOf(op Op, i int, size int64) (data []byte, at int64) {
	start := op.Offset/size*size + int64(i)*size
	from, to := max(start, op.Offset), min(start+size, op.Offset+int64(len(op.Data)))
	return op.Data[from-op.Offset : to-op.Offset], from
}

// sectorCount is how many sectors a write touches.
func sectorCount(op Op, size int64) int {
	return int((op.Offset+int64(len(op.Data))+size-1)/size - op.Offset/size)
}

// touchedSectors are the numbers of all sectors that the writes touch, ascending.
func touchedSectors(writes []Op, size int64) []int64 {
	all := map[int64]bool{}
	for _, op := range writes {
		for i := range sectorCount(op, size) {
			all[op.Offset/size+int64(i)] = true
		}
	}
	var list []int64
	for s := range all {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

type hashSeed = maphash.Seed

func newHashSeed() hashSeed { return maphash.MakeSeed() }

// fingerprint is the hash of all sectors that the window touches: two states of a window differ nowhere else.
func (e *explorer) fingerprint(d *block.Memory) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	size := d.SectorSize()
	if e.buffer == nil {
		e.buffer = make([]byte, 64*size)
	}
	for rest := e.w.touched; len(rest) > 0; {
		n := 1
		for n < len(rest) && n < 64 && rest[n] == rest[0]+int64(n) {
			n++
		}
		part := e.buffer[:int64(n)*size]
		clear(part)
		_, _ = d.ReadAt(part, rest[0]*size) // the last sector of a device may be short
		h.Write(part)
		rest = rest[n:]
	}
	return h.Sum64()
}
