package gpt

import (
	"bytes"
	"fmt"
	"io"
)

// blockBytes is the unit in which Update writes the primary copy: disks write 4 KiB in one go, or at worst either its sectors.
const blockBytes = 4096

// Disk is a whole disk, of which the table is changed.
type Disk interface {
	io.ReaderAt
	io.WriterAt
}

// Update brings the disk to t so that a power cut leaves a disk that boots:
//
//  1. where the primary copy is damaged, the table of the backup in its place; sync. Else the next step would destroy the only good copy
//  2. what changed of the backup; sync
//  3. what changed of MBR, primary header and entries, 4 KiB at a time; sync
//
// Linux ignores the backup copy unless told otherwise ("gpt" on its command line), so a primary whose header and entries do not match would
// be no table at all. On disks with 512-byte sectors MBR, header and the first 24 entries lie in the first 4 KiB and go out as one
// write. On disks with 4 KiB sectors they are separate writes; a cut between the two is repaired by firmware, which reads both
// copies, and by the next Update. It writes nothing where nothing differs (TestUpdate).
func (t *Table) Update(d Disk, sync func() error) error {
	if kept, source, err := Decode(d, int64(t.Sectors)*t.SectorSize, t.SectorSize); err == nil && source == Backup {
		if err := kept.updatePrimary(d, sync); err != nil {
			return err
		}
	}
	backup, err := t.BackupSteps()
	if err != nil {
		return fmt.Errorf("cannot encode partition table: %w", err)
	}
	for _, s := range backup {
		if err := s.apply(d); err != nil {
			return err
		}
	}
	if err := sync(); err != nil {
		return fmt.Errorf("cannot write backup partition table: %w", err)
	}
	return t.updatePrimary(d, sync)
}

// apply writes a step unless it is there.
func (s Step) apply(d Disk) error {
	old := make([]byte, len(s.Data))
	if n, _ := d.ReadAt(old, s.Offset); n == len(old) && bytes.Equal(old, s.Data) {
		return nil
	}
	if _, err := d.WriteAt(s.Data, s.Offset); err != nil {
		return fmt.Errorf("cannot write %s: %w", s.Name, err)
	}
	return nil
}

func (t *Table) updatePrimary(d Disk, sync func() error) error {
	steps, err := t.PrimarySteps()
	if err != nil {
		return fmt.Errorf("cannot encode partition table: %w", err)
	}
	if err := writeChanged(d, append(steps, t.ProtectiveMBRStep())); err != nil {
		return err
	}
	if err := sync(); err != nil {
		return fmt.Errorf("cannot write primary partition table: %w", err)
	}
	return nil
}

// writeChanged applies steps to what is there and writes the blocks that differ, the first block last: it holds the header.
func writeChanged(d Disk, steps []Step) error {
	var end int64
	for _, s := range steps {
		end = max(end, s.Offset+int64(len(s.Data)))
	}
	old := make([]byte, (end+blockBytes-1)/blockBytes*blockBytes)
	if _, err := d.ReadAt(old, 0); err != nil {
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
		if _, err := d.WriteAt(block, int64(at)); err != nil {
			return fmt.Errorf("cannot write primary partition table: %w", err)
		}
	}
	return nil
}
