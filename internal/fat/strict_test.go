package fat

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/block"
)

// strictTree reads as EDK2's driver does (FatPkg/EnhancedFatDxe): the first table, no tolerance for a bad number in any chain, long names found
// from the short one backwards. It must see the same files.
func strictTree(d block.Device, want tree) error {
	s := strictReader{d: d}
	boot := s.read(0, 512)
	s.reserved, s.perCluster = int64(le.Uint16(boot[14:])), int64(boot[13])
	s.data = s.reserved + 2*int64(le.Uint32(boot[36:]))
	got := tree{}
	if err := s.walk(le.Uint32(boot[44:]), "", got); err != nil {
		return fmt.Errorf("a strict reader: %w", err)
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("a strict reader sees %q", slices.Sorted(maps.Keys(got)))
	}
	return nil
}

type strictReader struct {
	d                          block.Device
	reserved, perCluster, data int64
}

func (s strictReader) read(at, n int64) []byte {
	b := make([]byte, n)
	_, _ = s.d.ReadAt(b, at)
	return b
}

func (s strictReader) chain(cluster uint32) (b []byte, err error) {
	for n := 0; cluster < 0x0ffffff8; n++ {
		if cluster < 2 || int64(cluster) >= (s.d.SizeBytes()/512-s.data)/s.perCluster+2 || n > 100 {
			return nil, fmt.Errorf("cluster %d", cluster)
		}
		b = append(b, s.read((s.data+int64(cluster-2)*s.perCluster)*512, s.perCluster*512)...)
		cluster = le.Uint32(s.read(s.reserved*512+int64(cluster)*4, 4)) & 0x0fffffff
	}
	return b, nil
}

func (s strictReader) walk(cluster uint32, dir string, into tree) error {
	raw, err := s.chain(cluster)
	if err != nil {
		return fmt.Errorf("%q: %w", dir, err)
	}
	for at := 0; at < len(raw) && raw[at] != 0; at += 32 {
		e := raw[at : at+32]
		if e[0] == 0xe5 || e[11]&0x08 != 0 || e[0] == '.' {
			continue
		}
		name := join(dir, s.longName(raw, at))
		first := uint32(le.Uint16(e[20:]))<<16 | uint32(le.Uint16(e[26:]))
		size := int(le.Uint32(e[28:]))
		if e[11]&0x10 != 0 {
			if err := s.walk(first, name, into); err != nil {
				return err
			}
			continue
		}
		var content []byte
		if first != 0 {
			content, err = s.chain(first)
		}
		if err != nil || len(content) < size {
			return fmt.Errorf("%q: %d of %d bytes: %w", name, len(content), size, err)
		}
		into[name] = string(content[:size])
	}
	return nil
}

func (s strictReader) longName(raw []byte, at int) string {
	short := [11]byte(raw[at:])
	var name []byte
	for n := 1; at-32*n >= 0; n++ {
		e := raw[at-32*n:]
		if e[0]&0x3f != byte(n) || e[11] != 0x0f || e[13] != shortChecksum(short) {
			break
		}
		for _, offset := range longUnits {
			name = append(name, e[offset])
		}
		if e[0]&0x40 != 0 {
			long, _, _ := strings.Cut(string(name), "\x00")
			return string(bytes.TrimRight([]byte(long), "\xff"))
		}
	}
	return plainName(short)
}
