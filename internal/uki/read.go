package uki

import (
	"errors"
	"fmt"
	"io"
)

const (
	// maxHeadBytes is how far into an image Read looks for its headers; 64 KiB hold more than a thousand sections.
	maxHeadBytes = 64 << 10
	// maxTextBytes bounds one section that Read returns: it is for command lines and os-release files.
	maxTextBytes = 64 << 10
)

// Read returns sections of an image of sizeBytes by name, in bounded memory however large the kernel is. One that the image lacks, or that
// is longer than 64 KiB, is an error, and so is an image that is cut off anywhere.
func Read(r io.ReaderAt, sizeBytes int64, names ...string) ([]Section, error) {
	head := make([]byte, min(max(sizeBytes, 0), maxHeadBytes))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("cannot read sections: %w", err)
	}
	h, err := decodeHeaders(head, uint64(max(sizeBytes, 0)))
	if err != nil {
		return nil, fmt.Errorf("cannot read sections: %w", err)
	}
	var sections []Section
	for _, name := range names {
		s, err := h.read(r, name)
		if err != nil {
			return nil, fmt.Errorf("cannot read section %q: %w", name, err)
		}
		sections = append(sections, s)
	}
	return sections, nil
}

func (h headers) read(r io.ReaderAt, name string) (Section, error) {
	for _, s := range h.sections {
		if s.name != name {
			continue
		}
		data := make([]byte, min(s.rawSize, s.virtualSize, maxTextBytes+1))
		if len(data) > maxTextBytes {
			return Section{}, fmt.Errorf("it is longer than %d bytes", maxTextBytes)
		}
		if n, err := r.ReadAt(data, int64(s.rawOffset)); n < len(data) {
			return Section{}, err
		}
		return Section{Name: name, Data: data}, nil
	}
	return Section{}, errors.New("the image has none")
}
