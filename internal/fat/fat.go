// Package fat creates FAT32 file systems (Write), and changes existing ones (Volume): EFI system partitions, and small volumes for tests.
//
//	reserved: boot sector, FSInfo, their copies at 6 and 7 | FAT 1 | FAT 2 | clusters: root directory, directories, files
//
// It follows Microsoft's "FAT32 File System Specification" 1.03 (fatgen103; UEFI 2.10 §13.3 makes it the format of an ESP). FAT12 and FAT16 are
// refused. FAT32 needs 65525 clusters, so the smallest volume is about 33 MiB (MinBytes) with clusters of one sector.
//
// Write creates in one go: nothing is ever freed, so every file is contiguous. The same input gives the same bytes; volume
// id and time are given. Areas that stay zero are not written: the target must read as zero there, as a fresh sparse file does.
//
// A Volume changes what Write, mkfs.vfat or firmware made, on a block.Device, so that a power cut at any moment is harmless, whichever writes since the last
// flush happened, and wherever a sector was torn:
//
//   - Files that are not being changed are never affected.
//   - Create: the file is absent, or complete with its long name. Nothing else ever shows: no short name alone, no old entry with a new letter.
//   - Rename: one of the names, or both, lead to the whole file; never neither.
//   - Remove: the entry goes first, then what it took.
//
// That rests on two rules. What is referred to by nothing may be written in any order: content, chains of free clusters, slots marked as free. What
// makes it count is one byte, alone between two flushes: the first byte of an entry, or one byte of a directory's cluster number (growDirectory).
// Both tables are written in one window; nobody reads the second. A cut can leave clusters that nobody owns, parts of long names without an entry, and
// two names of one file; Repair clears them up. TestPowerCuts holds all of this.
//
// Directories are arranged so that firmware, too, can rename an entry without a power cut leaving a short name alone (arrange.go). That holds for a cut
// between sectors. Firmware writes the old and the new name at once, so where these lie in two sectors a cut can leave both of them, or neither.
//
// The dirty bits of FAT[1] are left alone: they would make a reader check a volume that needs no check. Mounting the volume for writing was
// rejected: vfat has no journal, and its order of writes is not ours to choose.
//
// go-diskfs writes FAT32 too, with wrong ".." entries and an uninitialised FSInfo (fsck.vfat complains about both).
package fat

import (
	"fmt"
	"io"
	"time"
)

// Params describe the volume.
type Params struct {
	// SizeBytes of the volume; a multiple of 512, at least MinBytes.
	SizeBytes int64
	// Label has at most 11 characters of A-Z, 0-9, '_', '-' and space; other letter case is kept, though some systems frown on it.
	Label string
	// VolumeID is the serial number that Linux shows as UUID.
	VolumeID uint32
	// Time of every entry, in UTC; FAT knows 1980 to 2107, in steps of 2 s.
	Time time.Time
	// HiddenSectors is the start of the partition on its disk, in sectors. Nothing we boot with reads it.
	HiddenSectors uint32
}

// File is one file. Parent directories are made as needed.
type File struct {
	// Path is relative with slashes, such as "EFI/BOOT/BOOTX64.EFI".
	Path string
	Size int64
	Open func() (io.ReadCloser, error)
}

// Write writes the volume with its files to w.
func Write(w io.WriterAt, p Params, files []File) error {
	g, err := planGeometry(p)
	if err != nil {
		return err
	}
	root, err := buildTree(files)
	if err != nil {
		return err
	}
	a := allocator{geometry: g, table: []uint32{mediaEntry, endOfChain}}
	if err := a.place(root, p); err != nil {
		return err
	}
	v := writer{w: w, geometry: g, params: p}
	if err := v.writeNodes(root, root); err != nil {
		return err
	}
	if err := v.writeTables(a.table); err != nil {
		return err
	}
	return v.writeReserved(uint32(len(a.table)))
}

// writer is where everything is written.
type writer struct {
	w        io.WriterAt
	geometry geometry
	params   Params
}

// writeNodes writes directory n and everything below it.
func (v writer) writeNodes(n, parent *node) error {
	if n.dir {
		if err := v.writeAt(n.encodeDirectory(v.params, parent), v.geometry.clusterOffset(n.first), "directory "+n.path); err != nil {
			return err
		}
		for _, c := range n.children {
			if err := v.writeNodes(c, n); err != nil {
				return err
			}
		}
		return nil
	}
	if n.file.Size == 0 {
		return nil
	}
	return v.writeFile(n)
}

func (v writer) writeFile(n *node) error {
	r, err := n.file.Open()
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", n.path, err)
	}
	defer r.Close()
	target := io.NewOffsetWriter(v.w, v.geometry.clusterOffset(n.first))
	written, err := io.Copy(target, io.LimitReader(r, n.file.Size+1))
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", n.path, err)
	}
	if written != n.file.Size {
		return fmt.Errorf("cannot write %q: its content is not %d bytes long", n.path, n.file.Size)
	}
	return nil
}

func (v writer) writeAt(b []byte, offset int64, what string) error {
	if _, err := v.w.WriteAt(b, offset); err != nil {
		return fmt.Errorf("cannot write %s: %w", what, err)
	}
	return nil
}
