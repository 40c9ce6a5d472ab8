// Package uki makes and reads Unified Kernel Images (UAPI.5): a systemd-stub with the kernel, its command line and the
// os-release file appended as PE sections (Microsoft PE Format, revision 2024; systemd-stub(7) for the section names).
//
// It only appends: the stub's own bytes stay as they are, apart from the header fields that describe the sections. A stub that
// is already signed is refused, as a signature covers the whole file; sign the result.
//
// ukify would do, but is Python; objcopy leaves alignment and image size to the caller, which is where stubs break.
package uki

import (
	"encoding/binary"
	"fmt"
)

// Section names of systemd-stub(7).
const (
	OSRelease   = ".osrel"
	CommandLine = ".cmdline"
	Release     = ".uname"
	Kernel      = ".linux"
	Initrd      = ".initrd"
)

// Section is one section of a PE image.
type Section struct {
	// Name has at most 8 bytes.
	Name string
	Data []byte
}

// Section flags: initialised data, readable (PE Format, "Section Flags").
const dataFlags = 0x00000040 | 0x40000000

var le = binary.LittleEndian

// Append returns stub with sections added in this order. The kernel goes last: some stubs let it run over what follows.
func Append(stub []byte, sections []Section) ([]byte, error) {
	h, err := decodeHeaders(stub, uint64(len(stub)))
	if err != nil {
		return nil, fmt.Errorf("cannot append sections to stub: %w", err)
	}
	if err := h.checkRoom(sections); err != nil {
		return nil, fmt.Errorf("cannot append sections to stub: %w", err)
	}
	// What lies behind the last section (a COFF symbol table in Debian 12's stub) would leave a gap that signing tools reject.
	image := append([]byte(nil), stub[:h.rawEnd]...)
	image = pad(image, h.fileAlignment)
	address := h.virtualEnd
	for i, s := range sections {
		address = align(address, uint64(h.sectionAlignment))
		header := sectionHeader{
			name: s.Name, virtualSize: uint32(len(s.Data)), virtualAddress: uint32(address),
			rawSize: uint32(align(uint64(len(s.Data)), uint64(h.fileAlignment))), rawOffset: uint32(len(image)), flags: dataFlags,
		}
		header.encode(image[h.tableOffset+(len(h.sections)+i)*sectionHeaderSize:])
		image = pad(append(image, s.Data...), h.fileAlignment)
		address += uint64(len(s.Data))
		if address >= 1<<32 || len(image) >= 1<<32-1 {
			return nil, fmt.Errorf("cannot append sections to stub: section %q ends behind 4 GiB", s.Name)
		}
	}
	h.patch(image, len(h.sections)+len(sections), align(address, uint64(h.sectionAlignment)))
	return image, nil
}

// Sections returns the sections of a PE image in file order, with their padding cut off.
func Sections(image []byte) ([]Section, error) {
	h, err := decodeHeaders(image, uint64(len(image)))
	if err != nil {
		return nil, fmt.Errorf("cannot read sections: %w", err)
	}
	var sections []Section
	for _, s := range h.sections {
		data := image[s.rawOffset : s.rawOffset+min(s.rawSize, s.virtualSize)]
		sections = append(sections, Section{Name: s.name, Data: data})
	}
	return sections, nil
}

// Find returns the data of the section with this name.
func Find(sections []Section, name string) ([]byte, error) {
	for _, s := range sections {
		if s.Name == name {
			return s.Data, nil
		}
	}
	return nil, fmt.Errorf("cannot find section %q: the image has none", name)
}

func align(n, to uint64) uint64 { return (n + to - 1) / to * to }

func pad(b []byte, to uint32) []byte {
	return append(b, make([]byte, align(uint64(len(b)), uint64(to))-uint64(len(b)))...)
}
