package gpt

import (
	"fmt"
	"slices"
)

// Alignment at which partitions start and end: 1 MiB suits every disk's physical blocks.
const Alignment = 1 << 20

// Append adds a partition of sizeBytes behind the last one, both rounded up to Alignment, and sets its Number and LBAs.
func (t *Table) Append(p Partition, sizeBytes int64) (*Partition, error) {
	end := t.FirstUsableLBA
	for _, q := range t.Partitions {
		end = max(end, q.LastLBA+1)
		p.Number = max(p.Number, q.Number+1)
	}
	p.Number = max(p.Number, 1)
	unit := uint64(Alignment / t.SectorSize)
	p.FirstLBA = (end + unit - 1) / unit * unit
	p.LastLBA = p.FirstLBA + uint64((sizeBytes+Alignment-1)/Alignment)*unit - 1
	if sizeBytes <= 0 || p.LastLBA > t.LastUsableLBA {
		return nil, fmt.Errorf("cannot add partition %q: %d bytes do not fit behind LBA %d of a disk of %d sectors", p.Name, sizeBytes, end, t.Sectors)
	}
	t.Partitions = append(t.Partitions, p)
	return &t.Partitions[len(t.Partitions)-1], nil
}

// GrowDisk moves the end of the table to a larger disk, and says whether that changed anything. It never shrinks.
func (t *Table) GrowDisk(sizeBytes int64) (changed bool) {
	before := *t
	grown := *t
	grown.setSectors(sizeBytes)
	if grown.LastUsableLBA <= before.LastUsableLBA {
		return false
	}
	t.setSectors(sizeBytes)
	return true
}

// GrowPartition extends a partition to the next one, or to the end of the disk, ending at Alignment, and says whether that
// changed anything. It never shrinks.
func (t *Table) GrowPartition(number int) (changed bool, err error) {
	p := t.Partition(number)
	if p == nil {
		return false, fmt.Errorf("cannot grow partition %d: there is none", number)
	}
	end := t.LastUsableLBA + 1
	for _, q := range t.Partitions {
		if q.FirstLBA > p.LastLBA {
			end = min(end, q.FirstLBA)
		}
	}
	unit := uint64(Alignment / t.SectorSize)
	last := end/unit*unit - 1
	if last <= p.LastLBA {
		return false, nil
	}
	p.LastLBA = last
	return true, nil
}

// Clone returns a copy that shares nothing with t.
func (t *Table) Clone() *Table {
	c := *t
	c.Partitions = slices.Clone(t.Partitions)
	return &c
}
