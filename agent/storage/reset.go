package storage

import (
	"errors"
	"fmt"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/gpt"
)

// A reset is asked for by an attribute of the var partition, because that is what can be changed while /var is in use, and is read before it is mounted.
// A file under /var would be gone with a damaged file system, which is when a reset is wanted most; an EFI variable is no record.
//
//	MarkReset: attribute set (gpt.Table.Update); restart
//	next boot: the writing mark of template.go on the partition; sync        from here on it is "write it again", whatever the attribute says
//	           attribute cleared (gpt.Table.Update)                           so no later boot takes it for another reset
//	           discard, then the template as always
//
// A power cut leaves the old /var with or without the attribute, or one that is being made (TestAskingSurvivesPowerCuts, TestResetSurvivesPowerCuts).

// attributeReset is bit 48, the first of those that belong to the partition's type (UEFI 2.10 Table 5.8). The Discoverable Partitions Specification uses
// 59, 60 and 63 of them, in "Partition Flags".
const attributeReset = 1 << 48

// MarkReset makes the next boot begin with an empty /var. disk is the boot disk, such as Found.Disk. Nobody else may change the partition table meanwhile.
func MarkReset(disk string) error {
	d, err := block.OpenFile(disk)
	if err != nil {
		return fmt.Errorf("cannot mark /var for a reset: %w", err)
	}
	if err := errors.Join(setReset(d, true), d.Close()); err != nil {
		return fmt.Errorf("cannot mark /var for a reset: %w", err)
	}
	return nil
}

// setReset sets or clears the attribute. Nothing is written where it is so already.
func setReset(d block.Device, on bool) error {
	t, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		return err
	}
	p, err := varPartition(t)
	if err != nil {
		return err
	}
	p.Attributes &^= attributeReset
	if on {
		p.Attributes |= attributeReset
	}
	return t.Update(d, d.Flush)
}

func (f Found) resetAsked() bool { return f.part.Attributes&attributeReset != 0 }

// forgetReset clears the attribute.
func (f Found) forgetReset() error {
	d, err := block.OpenFile(f.path(f.Disk))
	if err == nil {
		err = errors.Join(setReset(d, false), d.Close())
	}
	if err != nil {
		return fmt.Errorf("cannot clear the mark of the reset: %w", err)
	}
	f.part.Attributes &^= attributeReset
	return nil
}
