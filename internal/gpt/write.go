package gpt

import (
	"fmt"
	"hash/crc32"
	"io"
)

// Step is one write to the disk.
type Step struct {
	// Name says what is written, for errors and logs.
	Name   string
	Offset int64
	Data   []byte
}

// BackupSteps are the writes of the copy at the end of the disk: entries, then the header that makes them valid.
func (t *Table) BackupSteps() ([]Step, error) {
	last := t.Sectors - 1
	return t.copySteps("backup", last, 1, last-t.arraySectors())
}

// PrimarySteps are the writes of the copy at the start of the disk: entries, then the header that makes them valid.
func (t *Table) PrimarySteps() ([]Step, error) {
	return t.copySteps("primary", 1, t.Sectors-1, 2)
}

// ProtectiveMBRStep is the write of LBA 0 (UEFI 2.10 §5.2.3). It must come after a grown disk, too: it holds the disk's size.
func (t *Table) ProtectiveMBRStep() Step {
	return Step{Name: "protective MBR", Offset: 0, Data: t.encodeProtectiveMBR()}
}

// Write writes the whole table so that a power cut at any moment leaves one good copy: backup, sync, primary, sync.
func (t *Table) Write(w io.WriterAt, sync func() error) error {
	backup, err := t.BackupSteps()
	if err != nil {
		return err
	}
	primary, err := t.PrimarySteps()
	if err != nil {
		return err
	}
	for _, steps := range [][]Step{backup, append(primary, t.ProtectiveMBRStep())} {
		for _, s := range steps {
			if _, err := w.WriteAt(s.Data, s.Offset); err != nil {
				return fmt.Errorf("cannot write partition table: %s: %w", s.Name, err)
			}
		}
		if err := sync(); err != nil {
			return fmt.Errorf("cannot sync partition table: %w", err)
		}
	}
	return nil
}

func (t *Table) copySteps(name string, myLBA, alternateLBA, arrayLBA uint64) ([]Step, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	array, err := t.encodeEntries()
	if err != nil {
		return nil, err
	}
	h := header{
		myLBA: myLBA, alternateLBA: alternateLBA, firstUsable: t.FirstUsableLBA, lastUsable: t.LastUsableLBA,
		disk: t.DiskGUID, arrayLBA: arrayLBA, count: entryCount, size: entrySize, arrayCRC: crc32.ChecksumIEEE(array),
	}
	return []Step{
		{Name: name + " entries", Offset: int64(arrayLBA) * t.SectorSize, Data: array},
		{Name: name + " header", Offset: int64(myLBA) * t.SectorSize, Data: h.encode(t.SectorSize)},
	}, nil
}

// encodeProtectiveMBR follows UEFI 2.10 Tables 5.3 and 5.4: one partition of type 0xEE over the whole disk.
func (t *Table) encodeProtectiveMBR() []byte {
	b := make([]byte, t.SectorSize)
	p := b[446:462]
	p[2] = 0x02                                  // StartingCHS 0x000200
	p[4] = 0xee                                  // OSType: GPT protective
	p[5], p[6], p[7] = 0xff, 0xff, 0xff          // EndingCHS
	le.PutUint32(p[8:], 1)                       // StartingLBA
	size := min(t.Sectors-1, uint64(0xffffffff)) // SizeInLBA
	le.PutUint32(p[12:], uint32(size))
	b[510], b[511] = 0x55, 0xaa
	return b
}
