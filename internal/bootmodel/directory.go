package bootmodel

import (
	"bytes"
	"strings"
	"unicode/utf16"
)

// Attributes and marks of a directory entry (FAT specification, "FAT Directory Structure" and "FAT Long Directory Entries").
const (
	entryBytes    = 32
	attrVolume    = 0x08
	attrDirectory = 0x10
	attrLong      = 0x0f
	markEnd       = 0x00
	markDeleted   = 0xe5
	lastLong      = 0x40
	// maxDirectoryEntries is the specification's 65,536 for a directory.
	maxDirectoryEntries = 1 << 16
)

// list reads a directory: until the entry that begins with zero, or the end of the chain.
func (v *volume) list(dir file) ([]file, error) {
	if !dir.dir {
		return nil, nil
	}
	var raw [][]byte
	chain, err := v.chain(dir.first, maxDirectoryEntries*entryBytes/v.clusterBytes)
	if err != nil {
		return nil, err
	}
	for _, c := range chain {
		b := make([]byte, v.clusterBytes)
		if err := v.readCluster(b, c); err != nil {
			return nil, err
		}
		for ; len(b) > 0; b = b[entryBytes:] {
			if b[0] == markEnd {
				return decodeEntries(raw), nil
			}
			raw = append(raw, b[:entryBytes])
		}
	}
	return decodeEntries(raw), nil
}

func decodeEntries(raw [][]byte) []file {
	var files []file
	for i, e := range raw {
		if e[0] == markDeleted || e[11]&attrVolume != 0 { // long name entries have the bit too
			continue
		}
		name, ok := longName(raw[:i], e)
		if !ok {
			name = shortName(e)
		}
		files = append(files, file{
			name: name, dir: e[11]&attrDirectory != 0, first: uint32(le.Uint16(e[20:]))<<16 | uint32(le.Uint16(e[26:])), size: int64(le.Uint32(e[28:])),
		})
	}
	return files
}

// longName goes backwards from a short entry, as EDK2's FatLoadLongNameEntry does: every part must carry the checksum of the short name and its number, up to
// the one marked as last. Anything else leaves the short name.
func longName(before [][]byte, short []byte) (string, bool) {
	sum := checksum(short[:11])
	var units []uint16
	for n := 1; n <= 20 && n <= len(before); n++ {
		e := before[len(before)-n]
		if e[0] == markDeleted || e[11] != attrLong || e[12] != 0 || e[13] != sum || int(e[0]&^lastLong) != n {
			return "", false
		}
		for _, part := range [][]byte{e[1:11], e[14:26], e[28:32]} {
			for ; len(part) > 0; part = part[2:] {
				units = append(units, le.Uint16(part))
			}
		}
		if e[0]&lastLong != 0 {
			return endAtZero(units), true
		}
	}
	return "", false
}

func endAtZero(units []uint16) string {
	for i, u := range units {
		if u == 0 {
			units = units[:i]
			break
		}
	}
	return string(utf16.Decode(units))
}

// checksum of a short name (FAT specification, "ChkSum").
func checksum(name []byte) (sum byte) {
	for _, c := range name {
		sum = sum>>1 | sum<<7
		sum += c
	}
	return sum
}

// shortName is the 8.3 name; two bits say that a part of it is meant in lower case (EDK2, FatGetFileNameViaCaseFlag).
func shortName(e []byte) string {
	base, extension := string(bytes.TrimRight(e[:8], " ")), string(bytes.TrimRight(e[8:11], " "))
	if e[12]&0x08 != 0 {
		base = strings.ToLower(base)
	}
	if e[12]&0x10 != 0 {
		extension = strings.ToLower(extension)
	}
	if extension != "" {
		return base + "." + extension
	}
	return base
}
