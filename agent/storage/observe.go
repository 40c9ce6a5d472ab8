package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// observation is what was seen of the partition for /var before anything was done.
type observation struct {
	// superblock of an ext4 file system; nil where there is none.
	superblock *superblock
	// writing: our mark is there, so a template was being written when the power went.
	writing bool
	// blank: every sample is zero, and no backup superblock was found.
	blank bool
	// unreadable says why the partition could not be read.
	unreadable error
}

const (
	// headBytes at the start of a partition are looked at as a whole: all file systems, volume managers and encryption headers begin there.
	headBytes = 4 << 20
	// sampleCount samples of sampleBytes are looked at in the rest.
	sampleCount = 64
	sampleBytes = 4096
)

// observe looks at a partition of sizeBytes. It reads about 4 MiB at most, and 4 KiB where there is a file system.
func observe(r io.ReaderAt, sizeBytes int64) observation {
	head := make([]byte, sampleBytes)
	if _, err := r.ReadAt(head, 0); err != nil {
		return observation{unreadable: fmt.Errorf("cannot read the start of the partition: %w", err)}
	}
	if bytes.HasPrefix(head, []byte(writingMark)) {
		return observation{writing: true}
	}
	if s, ok := decodeSuperblock(head); ok {
		return observation{superblock: &s}
	}
	blank, err := isBlank(r, sizeBytes)
	return observation{blank: blank, unreadable: err}
}

// isBlank samples the partition. A disk of terabytes cannot be read as a whole while a machine boots; what could be lost is
// found by its head, by ext4's backup superblocks, or by samples.
func isBlank(r io.ReaderAt, sizeBytes int64) (bool, error) {
	head := make([]byte, min(headBytes, sizeBytes))
	if _, err := r.ReadAt(head, 0); err != nil {
		return false, fmt.Errorf("cannot read the start of the partition: %w", err)
	}
	if !isZero(withoutTornMark(head)) {
		return false, nil
	}
	sample := head[:sampleBytes]
	for _, offset := range append(backupSuperblocks(sizeBytes), sampleOffsets(sizeBytes)...) {
		if _, err := r.ReadAt(sample, offset); err != nil {
			return false, fmt.Errorf("cannot read the partition at %d: %w", offset, err)
		}
		if !isZero(sample) {
			return false, nil
		}
	}
	return true, nil
}

// withoutTornMark clears what a power cut left of the first write to a blank partition: some bytes of our mark, zeros in place of the others.
func withoutTornMark(head []byte) []byte {
	for i := range writingMark {
		if head[i] != 0 && head[i] != writingMark[i] {
			return head
		}
	}
	clear(head[:len(writingMark)])
	return head
}

// sampleOffsets are evenly spread, aligned, and end with the last block: RAID and backup headers lie there.
func sampleOffsets(sizeBytes int64) []int64 {
	last := (sizeBytes - sampleBytes) &^ (sampleBytes - 1)
	var offsets []int64
	for i := range int64(sampleCount) {
		offsets = append(offsets, (last/sampleCount*(i+1))&^(sampleBytes-1))
	}
	return append(offsets, last)
}

func isZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	return len(bytes.Trim(b, "\x00")) == 0
}
