package storage

import (
	"bytes"
	"fmt"
	"io"

	"github.com/stele-os/stele/internal/gpt"
)

// tableFile is a whole disk, of which the table is rewritten.
type tableFile interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// growTable returns the table for a disk of sizeBytes with partition number extended to its end, and whether anything changed.
// The rest of a table that came from the backup copy counts as a change: the primary is to be written again.
func growTable(t *gpt.Table, source gpt.Source, number int, sizeBytes int64) (*gpt.Table, bool, error) {
	grown := t.Clone()
	moved := grown.GrowDisk(sizeBytes)
	extended, err := grown.GrowPartition(number)
	if err != nil {
		return nil, false, fmt.Errorf("cannot extend partition %d: %w", number, err)
	}
	return grown, moved || extended || source == gpt.Backup, nil
}

// writeTable writes a grown table so that a power cut leaves a disk that boots:
//
//  1. the copy at the new end of the disk, where nothing was used before; sync
//  2. what changed of MBR, primary header and entries, 4 KiB at a time; sync
//
// Linux ignores the backup copy unless told otherwise ("gpt" on its command line), so a primary whose header and entries do not match would
// be no table at all. On disks with 512-byte sectors MBR, header and the first 24 entries lie in the first 4 KiB and go out as one
// write. On disks with 4 KiB sectors they are separate writes; a cut between the two is repaired by firmware, which reads both
// copies, and by the next growTable.
func writeTable(f tableFile, t *gpt.Table) error {
	backup, err := t.BackupSteps()
	if err != nil {
		return fmt.Errorf("cannot encode partition table: %w", err)
	}
	for _, s := range backup {
		if _, err := f.WriteAt(s.Data, s.Offset); err != nil {
			return fmt.Errorf("cannot write %s: %w", s.Name, err)
		}
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot write backup partition table: %w", err)
	}
	primary, err := t.PrimarySteps()
	if err != nil {
		return fmt.Errorf("cannot encode partition table: %w", err)
	}
	if err := writeChanged(f, append(primary, t.ProtectiveMBRStep())); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot write primary partition table: %w", err)
	}
	return nil
}

// writeChanged applies steps to what is there and writes the blocks that differ, the first block last: it holds the header.
func writeChanged(f tableFile, steps []gpt.Step) error {
	var end int64
	for _, s := range steps {
		end = max(end, s.Offset+int64(len(s.Data)))
	}
	old := make([]byte, (end+blockBytes-1)/blockBytes*blockBytes)
	if _, err := f.ReadAt(old, 0); err != nil {
		return fmt.Errorf("cannot read primary partition table: %w", err)
	}
	changed := bytes.Clone(old)
	for _, s := range steps {
		copy(changed[s.Offset:], s.Data)
	}
	for at := len(changed) - blockBytes; at >= 0; at -= blockBytes {
		block := changed[at : at+blockBytes]
		if bytes.Equal(block, old[at:at+blockBytes]) {
			continue
		}
		if _, err := f.WriteAt(block, int64(at)); err != nil {
			return fmt.Errorf("cannot write primary partition table: %w", err)
		}
	}
	return nil
}
