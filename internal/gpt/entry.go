package gpt

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// decodeEntries reads the used entries of an array (UEFI 2.10 Table 5.6).
func decodeEntries(array []byte, size int) []Partition {
	var used []Partition
	for i := 0; (i+1)*size <= len(array); i++ {
		b := array[i*size:]
		p := Partition{
			Number: i + 1, Type: GUID(b[0:16]), GUID: GUID(b[16:32]),
			FirstLBA: le.Uint64(b[32:]), LastLBA: le.Uint64(b[40:]), Attributes: le.Uint64(b[48:]), Name: decodeName(b[56:128]),
		}
		if p.Type != (GUID{}) {
			used = append(used, p)
		}
	}
	return used
}

func (t *Table) encodeEntries() ([]byte, error) {
	array := make([]byte, entryCount*entrySize)
	for _, p := range t.Partitions {
		b := array[(p.Number-1)*entrySize:][:entrySize]
		copy(b[0:], p.Type[:])
		copy(b[16:], p.GUID[:])
		le.PutUint64(b[32:], p.FirstLBA)
		le.PutUint64(b[40:], p.LastLBA)
		le.PutUint64(b[48:], p.Attributes)
		units := utf16.Encode([]rune(p.Name))
		if len(units) > maxNameUnits || strings.ContainsRune(p.Name, 0) {
			return nil, fmt.Errorf("cannot encode partition %d: name %q does not fit %d UTF-16 code units", p.Number, p.Name, maxNameUnits)
		}
		for i, u := range units {
			le.PutUint16(b[56+2*i:], u)
		}
	}
	return array, nil
}

func decodeName(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := le.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
