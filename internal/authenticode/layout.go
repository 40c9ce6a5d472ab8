package authenticode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Offsets of the PE Format's headers; "opt" ones count from the start of the optional header (PE32+).
const (
	offsetOfPEOffset  = 0x3c
	coffHeaderSize    = 20
	sectionHeaderSize = 40

	optMagic            = 0x20b // PE32+
	optSizeOfHeaders    = 60
	optChecksum         = 64
	optDirectoryCount   = 108
	optCertificateTable = 112 + 4*8 // data directory 4: file offset and size of the signatures
	optMinimumSize      = optCertificateTable + 8
)

// maxHeadBytes bounds what is held of an image's headers: SizeOfHeaders of systemd-stub for arm64 is 20 KiB, of a kernel up to 4 KiB.
const maxHeadBytes = 64 << 10

// maxTableBytes bounds the signatures of an image; one of ours takes under 2 KiB.
const maxTableBytes = 256 << 10

var le = binary.LittleEndian

// layout is what hashing needs to know of an image.
type layout struct {
	machine uint16
	// checksum and directory are file offsets of the fields that are left out.
	checksum, directory int
	// sectionsEnd is where headers and sections end; what follows up to the signatures is hashed, too.
	sectionsEnd uint64
	// tableOffset and tableBytes are where the signatures lie; 0: there are none.
	tableOffset, tableBytes uint64
}

// headBytes is how much of the file decodeLayout needs: up to the end of its headers.
func headBytes(b []byte) (int, error) {
	opt, err := optionalHeader(b)
	if err != nil {
		return 0, err
	}
	size := le.Uint32(b[opt+optSizeOfHeaders:])
	if size > maxHeadBytes || int(size) < opt+optMinimumSize {
		return 0, fmt.Errorf("its headers have %d bytes", size)
	}
	return int(size), nil
}

func optionalHeader(b []byte) (int, error) {
	if len(b) < offsetOfPEOffset+4 || string(b[:2]) != "MZ" {
		return 0, errors.New("it is no PE image: it does not begin with MZ")
	}
	pe := uint64(le.Uint32(b[offsetOfPEOffset:]))
	opt := pe + 4 + coffHeaderSize
	if opt+optMinimumSize > uint64(len(b)) || string(b[pe:pe+4]) != "PE\x00\x00" {
		return 0, errors.New("it is no PE image: the PE signature is missing")
	}
	if le.Uint16(b[opt:]) != optMagic {
		return 0, errors.New("its optional header is not PE32+")
	}
	if le.Uint32(b[opt+optDirectoryCount:]) <= 4 {
		return 0, errors.New("its headers have no room for signatures")
	}
	return int(opt), nil
}

// decodeLayout reads the headers of an image. It refuses what leaves a byte out of the digest, or has one in it twice.
func decodeLayout(head []byte) (layout, error) {
	size, err := headBytes(head)
	if err != nil {
		return layout{}, err
	}
	if size > len(head) {
		return layout{}, errors.New("it ends within its headers")
	}
	opt, _ := optionalHeader(head) // headBytes has seen it
	coff := opt - coffHeaderSize
	l := layout{machine: le.Uint16(head[coff:]), checksum: opt + optChecksum, directory: opt + optCertificateTable}
	l.tableOffset, l.tableBytes = uint64(le.Uint32(head[l.directory:])), uint64(le.Uint32(head[l.directory+4:]))
	table := opt + int(le.Uint16(head[coff+16:]))
	count := int(le.Uint16(head[coff+2:]))
	if table < opt+optMinimumSize || table+count*sectionHeaderSize > size {
		return layout{}, errors.New("its section table does not lie in its headers")
	}
	var sections [][2]uint64
	for i := range count {
		s := head[table+i*sectionHeaderSize:]
		if bytes := uint64(le.Uint32(s[16:])); bytes > 0 {
			sections = append(sections, [2]uint64{uint64(le.Uint32(s[20:])), bytes})
		}
	}
	slices.SortFunc(sections, func(a, b [2]uint64) int { return int(int64(a[0]) - int64(b[0])) })
	l.sectionsEnd = uint64(size)
	for _, s := range sections {
		if s[0] != l.sectionsEnd {
			return layout{}, fmt.Errorf("a section begins at byte %d of the file and not at %d, where the one before ends", s[0], l.sectionsEnd)
		}
		l.sectionsEnd += s[1]
	}
	return l, l.checkTable()
}

func (l layout) checkTable() error {
	switch {
	case l.tableBytes == 0 && l.tableOffset == 0:
		return nil
	case l.tableOffset < l.sectionsEnd || l.tableOffset%8 != 0:
		return fmt.Errorf("its signatures begin at byte %d, the sections end at %d", l.tableOffset, l.sectionsEnd)
	case l.tableBytes > maxTableBytes || l.tableBytes < certificateHeaderSize:
		return fmt.Errorf("its signatures have %d bytes", l.tableBytes)
	}
	return nil
}
