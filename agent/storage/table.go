package storage

import (
	"fmt"

	"github.com/stele-os/stele/internal/gpt"
)

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
