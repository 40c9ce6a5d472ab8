package storage

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/gpt"
)

// growWorthBytes is what a file system must gain to be grown: a last group that is too small for its own metadata stays unused for ever.
const growWorthBytes = 16 << 20

// Grow extends table, partition and file system of a mounted /var to the end of the disk. Each part looks at what is there and does what is left,
// so that a power cut between any two of them is made good at the next boot.
func (f Found) Grow(s state.Storage) state.Storage {
	if s.VarDevice == "" {
		return s
	}
	before := s.VarSizeBytes
	if err := f.growAll(&s); err != nil {
		s.Events = append(append([]string{}, s.Events...), fmt.Sprintf("/var was not grown: %v", err))
		return s
	}
	if s.VarSizeBytes != before {
		s.Events = append(append([]string{}, s.Events...), fmt.Sprintf("/var is grown from %d MiB to %d MiB", before>>20, s.VarSizeBytes>>20))
	}
	return s
}

func (f Found) growAll(s *state.Storage) error {
	length, err := f.growPartition()
	if err != nil {
		return err
	}
	now, err := f.readSuperblock()
	if err != nil {
		return err
	}
	s.VarSizeBytes = now.sizeBytes()
	blocks, worth := growth(now, length)
	if !worth {
		return nil
	}
	if err := resizeExt4(f.path("/var"), blocks); err != nil {
		return err
	}
	now, err = f.readSuperblock()
	if err != nil {
		return err
	}
	s.VarSizeBytes = now.sizeBytes()
	return nil
}

// growPartition brings the table and the kernel's idea of it up to the disk, and returns the partition's length in bytes.
func (f Found) growPartition() (int64, error) {
	now, source, err := f.readTable()
	if err != nil {
		return 0, err
	}
	table, changed, err := growTable(now, source, f.part.Number, f.disk.sizeBytes)
	if err != nil {
		return 0, err
	}
	part := *table.Partition(f.part.Number)
	length := table.SizeBytes(part)
	sys := filepath.Join(f.path("sys/class/block"), f.disk.partitionName(part.Number))
	if !changed && readNumber(sys, "size")*512 == length {
		return length, nil
	}
	file, err := os.OpenFile(f.path(f.Disk), os.O_RDWR, 0)
	if err != nil {
		return 0, fmt.Errorf("cannot write partition table: %w", err)
	}
	defer file.Close()
	if changed {
		if err := table.Update(file, file.Sync); err != nil {
			return 0, err
		}
	}
	return length, resizePartition(file, part.Number, table.StartBytes(part), length)
}

// readTable reads the partition table again: since Find a reset, or an update, may have changed it.
func (f Found) readTable() (*gpt.Table, gpt.Source, error) {
	file, err := os.Open(f.path(f.Disk))
	if err != nil {
		return nil, "", fmt.Errorf("cannot read partition table: %w", err)
	}
	defer file.Close()
	return gpt.Decode(file, f.disk.sizeBytes, f.disk.sectorSize)
}

// growth is how many blocks a file system on a partition of lengthBytes may have, and whether growing is worth it.
func growth(s superblock, lengthBytes int64) (blocks uint64, worth bool) {
	blocks = uint64(lengthBytes / s.blockSize)
	return blocks, blocks > s.blocks && int64(blocks-s.blocks)*s.blockSize >= growWorthBytes
}

func (f Found) readSuperblock() (superblock, error) {
	file, err := os.Open(f.path(f.varDevice()))
	if err != nil {
		return superblock{}, fmt.Errorf("cannot read file system of /var: %w", err)
	}
	defer file.Close()
	head := make([]byte, superblockOffset+superblockSize)
	if _, err := file.ReadAt(head, 0); err != nil {
		return superblock{}, fmt.Errorf("cannot read file system of /var: %w", err)
	}
	s, ok := decodeSuperblock(head)
	if !ok {
		return superblock{}, fmt.Errorf("cannot read file system of /var: no ext4 on %q", f.varDevice())
	}
	return s, nil
}
