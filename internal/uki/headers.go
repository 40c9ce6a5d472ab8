package uki

import (
	"bytes"
	"errors"
	"fmt"
)

// Sizes and offsets of the PE Format's headers; "opt" ones count from the start of the optional header (PE32+).
const (
	offsetOfPEOffset    = 0x3c // MS-DOS stub: where the PE signature lies
	coffHeaderSize      = 20   // behind the 4 bytes of the signature
	sectionHeaderSize   = 40
	optMagic            = 0x20b // PE32+
	optSectionAlignment = 32
	optFileAlignment    = 36
	optSizeOfImage      = 56
	optSizeOfHeaders    = 60
	optChecksum         = 64
	optDirectoryCount   = 108
	optCertificateTable = 112 + 4*8 // data directory 4: file offset and size of the Authenticode signatures
	optMinimumSize      = 112
)

// headers are the fields of a PE image that appending needs.
type headers struct {
	coff, opt, tableOffset          int
	fileAlignment, sectionAlignment uint32
	sizeOfHeaders                   uint32
	sections                        []sectionHeader
	// rawEnd and virtualEnd are where the last section ends in the file and in memory.
	rawEnd, virtualEnd uint64
	// signed says that the image carries Authenticode signatures.
	signed bool
}

// sectionHeader is one entry of the section table (PE Format, "Section Table").
type sectionHeader struct {
	name                        string
	virtualSize, virtualAddress uint32
	rawSize, rawOffset          uint32
	flags                       uint32
}

// decodeHeaders reads the headers of an image of imageBytes from its beginning.
func decodeHeaders(b []byte, imageBytes uint64) (headers, error) {
	if len(b) < offsetOfPEOffset+4 || string(b[:2]) != "MZ" {
		return headers{}, errors.New("it is no PE image: it does not begin with MZ")
	}
	pe := uint64(le.Uint32(b[offsetOfPEOffset:]))
	opt := pe + 4 + coffHeaderSize
	if opt+optMinimumSize > uint64(len(b)) || string(b[pe:pe+4]) != "PE\x00\x00" {
		return headers{}, errors.New("it is no PE image: the PE signature is missing")
	}
	h := headers{coff: int(pe) + 4, opt: int(opt)}
	optSize := uint64(le.Uint16(b[h.coff+16:]))
	count := int(le.Uint16(b[h.coff+2:]))
	h.tableOffset = int(opt + optSize)
	if optSize < optMinimumSize || h.tableOffset+count*sectionHeaderSize > len(b) || le.Uint16(b[h.opt:]) != optMagic {
		return headers{}, errors.New("its optional header is not PE32+, or cut off")
	}
	h.fileAlignment, h.sectionAlignment = le.Uint32(b[h.opt+optFileAlignment:]), le.Uint32(b[h.opt+optSectionAlignment:])
	h.sizeOfHeaders = le.Uint32(b[h.opt+optSizeOfHeaders:])
	if !powerOfTwo(h.fileAlignment) || !powerOfTwo(h.sectionAlignment) || h.fileAlignment > 1<<16 || h.sectionAlignment > 1<<24 {
		return headers{}, fmt.Errorf("file alignment %d and section alignment %d are not sound", h.fileAlignment, h.sectionAlignment)
	}
	h.signed = optSize >= optCertificateTable+8 && le.Uint32(b[h.opt+optDirectoryCount:]) > 4 && le.Uint32(b[h.opt+optCertificateTable+4:]) != 0
	return h.decodeSections(b, count, imageBytes)
}

// decodeSections reads the section table and finds where the image ends.
func (h headers) decodeSections(b []byte, count int, imageBytes uint64) (headers, error) {
	h.rawEnd, h.virtualEnd = uint64(h.sizeOfHeaders), uint64(h.sizeOfHeaders)
	for i := range count {
		s := decodeSectionHeader(b[h.tableOffset+i*sectionHeaderSize:])
		if s.rawSize == 0 {
			s.rawOffset = 0 // holds nothing in the file
		}
		rawEnd := uint64(s.rawOffset) + uint64(s.rawSize)
		if rawEnd > imageBytes {
			return headers{}, fmt.Errorf("section %q ends at byte %d of %d", s.name, rawEnd, imageBytes)
		}
		h.rawEnd = max(h.rawEnd, rawEnd)
		h.virtualEnd = max(h.virtualEnd, uint64(s.virtualAddress)+uint64(s.virtualSize))
		h.sections = append(h.sections, s)
	}
	if h.rawEnd > imageBytes {
		return headers{}, fmt.Errorf("headers end at byte %d of %d", h.rawEnd, imageBytes)
	}
	return h, nil
}

func decodeSectionHeader(b []byte) sectionHeader {
	name, _, _ := bytes.Cut(b[0:8], []byte{0})
	return sectionHeader{
		name: string(name), virtualSize: le.Uint32(b[8:]), virtualAddress: le.Uint32(b[12:]),
		rawSize: le.Uint32(b[16:]), rawOffset: le.Uint32(b[20:]), flags: le.Uint32(b[36:]),
	}
}

func (s sectionHeader) encode(b []byte) {
	clear(b[:sectionHeaderSize])
	copy(b, s.name)
	le.PutUint32(b[8:], s.virtualSize)
	le.PutUint32(b[12:], s.virtualAddress)
	le.PutUint32(b[16:], s.rawSize)
	le.PutUint32(b[20:], s.rawOffset)
	le.PutUint32(b[36:], s.flags)
}

// checkRoom refuses what would not be a good image, before anything is written.
func (h headers) checkRoom(sections []Section) error {
	if h.signed {
		return errors.New("it is signed already; append to the unsigned stub, then sign")
	}
	names := map[string]bool{}
	for _, s := range h.sections {
		names[s.name] = true
	}
	for _, s := range sections {
		switch {
		case s.Name == "" || len(s.Name) > 8:
			return fmt.Errorf("section name %q has not 1 to 8 bytes", s.Name)
		case names[s.Name]:
			return fmt.Errorf("section %q is there already", s.Name)
		case len(s.Data) == 0:
			return fmt.Errorf("section %q is empty", s.Name)
		}
		names[s.Name] = true
	}
	if need := h.tableOffset + (len(h.sections)+len(sections))*sectionHeaderSize; need > int(h.sizeOfHeaders) {
		return fmt.Errorf("its headers have no room for %d more sections: %d bytes needed, %d there", len(sections), need, h.sizeOfHeaders)
	}
	return nil
}

// patch sets the header fields that describe the sections, and clears the ones that no longer hold.
func (h headers) patch(image []byte, sections int, sizeOfImage uint64) {
	le.PutUint16(image[h.coff+2:], uint16(sections))
	le.PutUint32(image[h.coff+8:], 0)  // PointerToSymbolTable: cut off
	le.PutUint32(image[h.coff+12:], 0) // NumberOfSymbols
	le.PutUint32(image[h.opt+optSizeOfImage:], uint32(sizeOfImage))
	le.PutUint32(image[h.opt+optChecksum:], 0) // UEFI ignores it
}

func powerOfTwo(n uint32) bool { return n != 0 && n&(n-1) == 0 }
