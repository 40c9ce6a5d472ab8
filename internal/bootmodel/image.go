package bootmodel

import (
	"errors"
	"fmt"
	"slices"
)

// imageReader reads a PE image on the ESP (PE Format, "Signature", "COFF File Header", "Section Table"): leniently, as the loader does when it lists
// entries, and strictly, as firmware does when it loads one.
type imageReader struct {
	volume *volume
	file   file
}

type peSection struct {
	name                    string
	size, rawSize, rawStart int64
}

// maxTextBytes bounds a section that is read as text.
const maxTextBytes = 1 << 16

// sections reads the section table.
func (r imageReader) sections() ([]peSection, error) {
	dos := make([]byte, 64)
	if err := r.volume.readAt(r.file, dos, 0); err != nil {
		return nil, err
	}
	pe := int64(le.Uint32(dos[60:]))
	coff := make([]byte, 24)
	if err := r.volume.readAt(r.file, coff, pe); err != nil {
		return nil, err
	}
	if string(dos[:2]) != "MZ" || string(coff[:4]) != "PE\x00\x00" {
		return nil, errors.New("it is no PE image")
	}
	count, optional := int64(le.Uint16(coff[6:])), int64(le.Uint16(coff[20:]))
	if count > 96 { // systemd-boot and the PE format allow no more
		return nil, fmt.Errorf("it has %d sections", count)
	}
	table := make([]byte, count*40)
	if err := r.volume.readAt(r.file, table, pe+24+optional); err != nil {
		return nil, err
	}
	var list []peSection
	for ; len(table) > 0; table = table[40:] {
		name := table[:8]
		for len(name) > 0 && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		list = append(list, peSection{
			name: string(name), size: int64(le.Uint32(table[8:])), rawSize: int64(le.Uint32(table[16:])), rawStart: int64(le.Uint32(table[20:])),
		})
	}
	return list, nil
}

// section returns the content of one section.
func (r imageReader) section(name string) ([]byte, error) {
	list, err := r.sections()
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if s.name != name {
			continue
		}
		size := min(s.size, s.rawSize)
		if size == 0 || size > maxTextBytes {
			return nil, fmt.Errorf("section %s has %d bytes", name, size)
		}
		b := make([]byte, size)
		return b, r.volume.readAt(r.file, b, s.rawStart)
	}
	return nil, fmt.Errorf("it has no section %s", name)
}

// load is what firmware's LoadImage needs. A UKI without kernel has nothing to start.
func (r imageReader) load() ([]byte, error) {
	content, err := r.whole()
	if err != nil {
		return nil, err
	}
	list, err := r.sections()
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(s peSection) bool { return s.name == ".linux" }) {
		return nil, errors.New("it has no section .linux")
	}
	return content, nil
}

// whole reads an image that has every section in the file, and lies whole on the volume.
func (r imageReader) whole() ([]byte, error) {
	content, err := r.volume.read(r.file)
	if err != nil {
		return nil, err
	}
	list, err := r.sections()
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if s.rawSize > 0 && s.rawStart+s.rawSize > int64(len(content)) {
			return nil, fmt.Errorf("section %s ends at byte %d of %d", s.name, s.rawStart+s.rawSize, len(content))
		}
	}
	return content, nil
}
