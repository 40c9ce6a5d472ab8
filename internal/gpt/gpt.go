// Package gpt reads, changes and writes GUID partition tables (UEFI 2.10 §5.3) with a protective MBR (§5.2.3).
//
// It is pure: a Table is data, Decode reads it from an io.ReaderAt, and the Steps methods say which bytes go where. Whoever
// owns the disk decides when to sync, because that is what makes a change safe against power loss: write the backup, sync,
// write the primary, sync (Table.Write does so for a new table, Table.Update for a change). At every moment one of the two copies is whole.
//
// Invariants: a decoded table passed all CRCs; an encoded one has no overlapping partitions and always 128 entries of 128 bytes.
//
// It knows nothing about file systems, nor what the partitions of a product are. go-diskfs also writes GPTs, but couples them
// to files and sizes of its own, and gives no say in the order of writes.
package gpt

import (
	"fmt"
	"slices"
)

const (
	// entryCount and entrySize give the 16 KiB that UEFI 2.10 §5.3.1 requires at least for the partition entry array.
	entryCount = 128
	entrySize  = 128
	// maxNameUnits is the length of a partition name in UTF-16 code units (UEFI 2.10 Table 5.6: 72 bytes).
	maxNameUnits = 36
	// headerSize is the length of the header without its reserved rest (UEFI 2.10 Table 5.5).
	headerSize = 92
)

// DefaultSectorSize is the logical block size of nearly every disk, and of disk images.
const DefaultSectorSize = 512

// Table is one partition table.
type Table struct {
	// SectorSize is the logical block size in bytes; all LBAs count in it.
	SectorSize int64
	// Sectors is the size of the disk.
	Sectors uint64
	// FirstUsableLBA and LastUsableLBA bound where partitions may lie.
	FirstUsableLBA, LastUsableLBA uint64
	DiskGUID                      GUID
	// Partitions are the used entries, in the order of their numbers.
	Partitions []Partition
}

// Partition is one used entry of the table.
type Partition struct {
	// Number is the position in the entry array, counted from 1.
	Number int
	Type   GUID
	// GUID is the partition's own GUID, its PARTUUID.
	GUID GUID
	// FirstLBA and LastLBA are both part of the partition.
	FirstLBA, LastLBA uint64
	// Attributes: bits 0 to 2 are UEFI's, 48 to 63 belong to the partition type (UEFI 2.10 Tables 5.7 and 5.8).
	Attributes uint64
	// Name has at most 36 UTF-16 code units.
	Name string
}

// New returns an empty table for a disk of sizeBytes; a rest smaller than a sector is left unused.
func New(disk GUID, sizeBytes, sectorSize int64) *Table {
	t := &Table{SectorSize: sectorSize, DiskGUID: disk}
	t.FirstUsableLBA = 2 + t.arraySectors()
	t.setSectors(sizeBytes)
	return t
}

// StartBytes is where the partition begins on the disk.
func (t *Table) StartBytes(p Partition) int64 { return int64(p.FirstLBA) * t.SectorSize }

// SizeBytes is how large the partition is.
func (t *Table) SizeBytes(p Partition) int64 { return int64(p.LastLBA-p.FirstLBA+1) * t.SectorSize }

// Partition returns the entry with this number, to be read or changed in place; nil if it is unused.
func (t *Table) Partition(number int) *Partition {
	i := slices.IndexFunc(t.Partitions, func(p Partition) bool { return p.Number == number })
	if i < 0 {
		return nil
	}
	return &t.Partitions[i]
}

// ByName returns the first entry with this name; nil if there is none.
func (t *Table) ByName(name string) *Partition {
	i := slices.IndexFunc(t.Partitions, func(p Partition) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &t.Partitions[i]
}

// Validate checks what no written table may violate: order, bounds, overlaps, and GUIDs used twice.
func (t *Table) Validate() error {
	if t.FirstUsableLBA < 2+t.arraySectors() || t.LastUsableLBA+t.arraySectors()+1 >= t.Sectors || t.FirstUsableLBA > t.LastUsableLBA {
		return fmt.Errorf("cannot use partition table: usable LBAs %d to %d do not fit a disk of %d sectors",
			t.FirstUsableLBA, t.LastUsableLBA, t.Sectors)
	}
	for i, p := range t.Partitions {
		if err := t.validatePartition(p); err != nil {
			return fmt.Errorf("cannot use partition %d %q: %w", p.Number, p.Name, err)
		}
		for _, q := range t.Partitions[:i] {
			switch {
			case p.Number <= q.Number:
				return fmt.Errorf("cannot use partition %d %q: it stands behind partition %d", p.Number, p.Name, q.Number)
			case p.GUID == q.GUID:
				return fmt.Errorf("cannot use partition %d %q: partition %d has the same GUID %s", p.Number, p.Name, q.Number, p.GUID)
			case p.FirstLBA <= q.LastLBA && q.FirstLBA <= p.LastLBA:
				return fmt.Errorf("cannot use partition %d %q: it overlaps partition %d %q", p.Number, p.Name, q.Number, q.Name)
			}
		}
	}
	return nil
}

func (t *Table) validatePartition(p Partition) error {
	switch {
	case p.Number < 1 || p.Number > entryCount:
		return fmt.Errorf("its number is not between 1 and %d", entryCount)
	case p.Type == GUID{}:
		return fmt.Errorf("its type is zero, which marks an unused entry")
	case p.FirstLBA > p.LastLBA:
		return fmt.Errorf("it ends (LBA %d) before it starts (LBA %d)", p.LastLBA, p.FirstLBA)
	case p.FirstLBA < t.FirstUsableLBA || p.LastLBA > t.LastUsableLBA:
		return fmt.Errorf("LBAs %d to %d leave the usable range %d to %d", p.FirstLBA, p.LastLBA, t.FirstUsableLBA, t.LastUsableLBA)
	}
	return nil
}

// arraySectors is the length of the partition entry array.
func (t *Table) arraySectors() uint64 {
	return uint64((entryCount*entrySize + t.SectorSize - 1) / t.SectorSize)
}

func (t *Table) setSectors(sizeBytes int64) {
	t.Sectors = uint64(sizeBytes / t.SectorSize)
	t.LastUsableLBA = t.Sectors - min(t.Sectors, t.arraySectors()+2)
}
