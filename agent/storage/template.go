package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writing a template is safe under a power cut, because the partition carries a mark until the very last write:
//
//  1. the mark; sync                                  a cut from here on: the mark says "write it again"
//  2. everything of the template but its first 1024 bytes; sync
//  3. its first 1024 bytes, which end the mark; sync
//
// The mark lies in the first 1024 bytes, which ext4 leaves to boot sectors. A torn last write leaves the mark, or a part of it, which is none, beside a
// whole file system; a torn first one a part of it on a blank partition, which observe takes for blank.
const writingMark = "stele: the file system of /var is being written here\n"

// blockBytes is the start of a template, with the superblock.
const blockBytes = 4096

// device is a partition that a template is written to.
type device interface {
	io.WriterAt
	// Zero makes a range read as zeros.
	Zero(offset, length int64) error
	// Discard gives a range back to the disk where it can; what it reads afterwards is undefined.
	Discard(offset, length int64) error
	Sync() error
}

// writeTemplate decompresses a file system image onto a partition of sizeBytes.
func writeTemplate(d device, sizeBytes int64, compressed io.Reader) error {
	image, err := zstd.NewReader(compressed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return fmt.Errorf("cannot read the template of /var: %w", err)
	}
	defer image.Close()
	first := make([]byte, blockBytes)
	if _, err := io.ReadFull(image, first); err != nil {
		return fmt.Errorf("cannot read the template of /var: %w", err)
	}
	s, ok := decodeSuperblock(first)
	if !ok {
		return errors.New("cannot use the template of /var: it is no ext4 file system")
	}
	if s.sizeBytes() > sizeBytes {
		return fmt.Errorf("cannot use the template of /var: it needs %d bytes, the partition has %d", s.sizeBytes(), sizeBytes)
	}
	if err := writeMark(d); err != nil {
		return err
	}
	if err := d.Zero(blockBytes, s.sizeBytes()-blockBytes); err != nil {
		return fmt.Errorf("cannot clear the partition for /var: %w", err)
	}
	if _, err := d.WriteAt(first[superblockOffset:], superblockOffset); err != nil {
		return fmt.Errorf("cannot write the template of /var: %w", err)
	}
	if err := copyBlocks(d, image, blockBytes, s.sizeBytes()); err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("cannot write the template of /var: %w", err)
	}
	return writeSynced(d, first[:superblockOffset])
}

// writeMark makes the partition one that is to be written anew, whatever was there.
func writeMark(d device) error {
	return writeSynced(d, []byte(writingMark))
}

func writeSynced(d device, start []byte) error {
	if _, err := d.WriteAt(start, 0); err != nil {
		return fmt.Errorf("cannot write the start of /var: %w", err)
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("cannot write the start of /var: %w", err)
	}
	return nil
}

// copyBlocks writes what follows in image from offset to end, without the chunks that are zero.
func copyBlocks(d io.WriterAt, image io.Reader, offset, end int64) error {
	chunk := make([]byte, 64<<10)
	for offset < end {
		n, err := io.ReadFull(image, chunk[:min(int64(len(chunk)), end-offset)])
		if err != nil {
			return fmt.Errorf("cannot read the template of /var: %w", err)
		}
		if trimmed := bytes.TrimRight(chunk[:n], "\x00"); len(trimmed) > 0 {
			if _, err := d.WriteAt(chunk[:n], offset); err != nil {
				return fmt.Errorf("cannot write the template of /var: %w", err)
			}
		}
		offset += int64(n)
	}
	return nil
}

// makeAnew writes the template. Where that is a reset, forget clears what asked for it, and what the disk can forget of the old content it is told to.
func makeAnew(d device, sizeBytes int64, compressed io.Reader, forget func() error) error {
	if forget != nil {
		if err := writeMark(d); err != nil {
			return err
		}
		if err := forget(); err != nil {
			return err
		}
		_ = d.Discard(blockBytes, sizeBytes-blockBytes) // what reads afterwards does not matter: all that ext4 reads is written
	}
	return writeTemplate(d, sizeBytes, compressed)
}
