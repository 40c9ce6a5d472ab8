package gpt

import (
	"fmt"
	"io"
)

// Source says which copy of the table was good.
type Source string

// The copies of a table.
const (
	// Primary: the header at LBA 1 and its entries are good. (The backup was not looked at.)
	Primary Source = "primary"
	// Backup: the primary is damaged; the table comes from the copy at the end of the disk and should be written again.
	Backup Source = "backup"
)

// Decode reads the table of a disk of sizeBytes. It falls back to the backup copy, as UEFI 2.10 §5.3.2 asks, and says so.
func Decode(r io.ReaderAt, sizeBytes, sectorSize int64) (*Table, Source, error) {
	if sectorSize < 512 || sectorSize > 1<<16 || sectorSize&(sectorSize-1) != 0 {
		return nil, "", fmt.Errorf("cannot decode partition table: sector size %d", sectorSize)
	}
	if sizeBytes < 3*sectorSize {
		return nil, "", fmt.Errorf("cannot decode partition table: a disk of %d bytes holds none", sizeBytes)
	}
	t, primaryErr := decodeCopy(r, 1, sizeBytes, sectorSize)
	if primaryErr == nil {
		return t, Primary, nil
	}
	t, backupErr := decodeCopy(r, uint64(sizeBytes/sectorSize)-1, sizeBytes, sectorSize)
	if backupErr == nil {
		return t, Backup, nil
	}
	return nil, "", fmt.Errorf("cannot decode partition table: primary: %w; backup: %w", primaryErr, backupErr)
}

func decodeCopy(r io.ReaderAt, lba uint64, sizeBytes, sectorSize int64) (*Table, error) {
	h, err := decodeHeader(r, lba, sectorSize)
	if err != nil {
		return nil, err
	}
	array, err := h.readArray(r, sectorSize)
	if err != nil {
		return nil, err
	}
	t := &Table{
		SectorSize: sectorSize, Sectors: uint64(sizeBytes / sectorSize), DiskGUID: h.disk,
		FirstUsableLBA: h.firstUsable, LastUsableLBA: h.lastUsable, Partitions: decodeEntries(array, int(h.size)),
	}
	if t.LastUsableLBA >= t.Sectors {
		return nil, fmt.Errorf("LBA %d: last usable LBA %d lies behind the end of the disk", lba, t.LastUsableLBA)
	}
	for _, p := range t.Partitions {
		if p.FirstLBA > p.LastLBA || p.FirstLBA < t.FirstUsableLBA || p.LastLBA > t.LastUsableLBA {
			return nil, fmt.Errorf("LBA %d: partition %d (LBAs %d to %d) leaves the usable range", lba, p.Number, p.FirstLBA, p.LastLBA)
		}
	}
	return t, nil
}
