package gpt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// Signature and revision 1.0 of a header (UEFI 2.10 Table 5.5).
const (
	signature = "EFI PART"
	revision  = 0x00010000
)

// maxArrayBytes bounds what a header can make us read.
const maxArrayBytes = 1 << 20

var le = binary.LittleEndian

// header is UEFI 2.10 Table 5.5. Offsets stand in decodeHeader and encode.
type header struct {
	myLBA, alternateLBA, firstUsable, lastUsable uint64
	disk                                         GUID
	arrayLBA                                     uint64
	count, size, arrayCRC                        uint32
}

func decodeHeader(r io.ReaderAt, lba uint64, sectorSize int64) (header, error) {
	b := make([]byte, sectorSize)
	if err := readFull(r, b, int64(lba)*sectorSize); err != nil {
		return header{}, fmt.Errorf("LBA %d: %w", lba, err)
	}
	if string(b[0:8]) != signature {
		return header{}, fmt.Errorf("LBA %d: signature is missing", lba)
	}
	length := le.Uint32(b[12:])
	if length < headerSize || int64(length) > sectorSize {
		return header{}, fmt.Errorf("LBA %d: header size %d", lba, length)
	}
	want := le.Uint32(b[16:])
	clear(b[16:20])
	if got := crc32.ChecksumIEEE(b[:length]); got != want {
		return header{}, fmt.Errorf("LBA %d: header checksum is %08x, not %08x", lba, got, want)
	}
	h := header{
		myLBA: le.Uint64(b[24:]), alternateLBA: le.Uint64(b[32:]), firstUsable: le.Uint64(b[40:]), lastUsable: le.Uint64(b[48:]),
		disk: GUID(b[56:72]), arrayLBA: le.Uint64(b[72:]), count: le.Uint32(b[80:]), size: le.Uint32(b[84:]), arrayCRC: le.Uint32(b[88:]),
	}
	if h.myLBA != lba {
		return header{}, fmt.Errorf("LBA %d: header says it lies at LBA %d", lba, h.myLBA)
	}
	return h, nil
}

func (h header) encode(sectorSize int64) []byte {
	b := make([]byte, sectorSize)
	copy(b, signature)
	le.PutUint32(b[8:], revision)
	le.PutUint32(b[12:], headerSize)
	le.PutUint64(b[24:], h.myLBA)
	le.PutUint64(b[32:], h.alternateLBA)
	le.PutUint64(b[40:], h.firstUsable)
	le.PutUint64(b[48:], h.lastUsable)
	copy(b[56:], h.disk[:])
	le.PutUint64(b[72:], h.arrayLBA)
	le.PutUint32(b[80:], h.count)
	le.PutUint32(b[84:], h.size)
	le.PutUint32(b[88:], h.arrayCRC)
	le.PutUint32(b[16:], crc32.ChecksumIEEE(b[:headerSize]))
	return b
}

// readArray reads the partition entry array that h names, and checks it.
func (h header) readArray(r io.ReaderAt, sectorSize int64) ([]byte, error) {
	if h.size < entrySize || h.size%entrySize != 0 || uint64(h.count)*uint64(h.size) > maxArrayBytes {
		return nil, fmt.Errorf("entry array: %d entries of %d bytes", h.count, h.size)
	}
	if h.arrayLBA < 2 || h.arrayLBA > 1<<54 {
		return nil, fmt.Errorf("entry array: LBA %d", h.arrayLBA)
	}
	b := make([]byte, h.count*h.size)
	if err := readFull(r, b, int64(h.arrayLBA)*sectorSize); err != nil {
		return nil, fmt.Errorf("entry array: %w", err)
	}
	if got := crc32.ChecksumIEEE(b); got != h.arrayCRC {
		return nil, fmt.Errorf("entry array: checksum is %08x, not %08x", got, h.arrayCRC)
	}
	return b, nil
}

// readFull reads all of b: ReadAt may say io.EOF although it did.
func readFull(r io.ReaderAt, b []byte, offset int64) error {
	if n, err := r.ReadAt(b, offset); n < len(b) {
		return err
	}
	return nil
}
