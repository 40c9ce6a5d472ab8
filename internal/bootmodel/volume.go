package bootmodel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/block"
)

// volume is a FAT32 file system as firmware reads it (Microsoft FAT specification, 2000, "FAT32 File System Specification" 1.03; EDK2's FatPkg/EnhancedFatDxe).
type volume struct {
	dev block.Device
	// clusterBytes, tableStart and dataStart are in bytes; clusters is how many there are.
	clusterBytes, tableStart, dataStart int64
	clusters                            uint32
	root                                file
	sector                              []byte // of the table, read last
	sectorAt                            int64
}

// file is a file or directory.
type file struct {
	name  string
	dir   bool
	first uint32
	size  int64
}

// openVolume reads the BIOS parameter block (FAT specification, "Boot Sector and BPB"). The copy of it in sector 6 is not looked at, as by EDK2.
func openVolume(d block.Device) (*volume, error) {
	b := make([]byte, 512)
	if _, err := d.ReadAt(b, 0); err != nil {
		return nil, err
	}
	sector, perCluster := int64(le.Uint16(b[11:])), int64(b[13])
	if sector != 512 && sector != 1024 && sector != 2048 && sector != 4096 || perCluster == 0 || perCluster&(perCluster-1) != 0 {
		return nil, fmt.Errorf("it is no FAT file system: %d bytes a sector, %d sectors a cluster", sector, perCluster)
	}
	if b[21] != 0xf8 && b[21] != 0xf0 || le.Uint16(b[22:]) != 0 || b[16] == 0 {
		return nil, errors.New("it is no FAT32 file system")
	}
	reserved, tables, tableSectors := int64(le.Uint16(b[14:])), int64(b[16]), int64(le.Uint32(b[36:]))
	total := int64(le.Uint32(b[32:]))
	data := reserved + tables*tableSectors
	if total*sector > d.SizeBytes() || data >= total || tableSectors == 0 || reserved == 0 {
		return nil, fmt.Errorf("its %d sectors, data from %d on, do not fit it", total, data)
	}
	clusters := (total - data) / perCluster
	if clusters < 65525 || (clusters+2)*4 > tableSectors*sector {
		return nil, fmt.Errorf("it is no FAT32 file system: %d clusters", clusters)
	}
	active := int64(0)
	if flags := le.Uint16(b[40:]); flags&0x80 != 0 { // mirroring is off: one table is in use
		active = int64(flags & 0xf)
	}
	return &volume{
		dev: d, clusterBytes: perCluster * sector, tableStart: (reserved + active*tableSectors) * sector, dataStart: data * sector,
		clusters: uint32(clusters), root: file{dir: true, first: le.Uint32(b[44:])}, sector: make([]byte, 512), sectorAt: -1,
	}, nil
}

// next is the cluster behind c; ok is false at the end of the chain.
func (v *volume) next(c uint32) (next uint32, ok bool, err error) {
	at := v.tableStart + int64(c)*4
	if start := at / 512 * 512; start != v.sectorAt {
		if _, err := v.dev.ReadAt(v.sector, start); err != nil {
			return 0, false, err
		}
		v.sectorAt = start
	}
	next = le.Uint32(v.sector[at%512:]) & 0x0fffffff
	return next, next < 0x0ffffff8, nil
}

// chain is the clusters of a file, from the first. want bounds them; a chain that is shorter, leaves the volume or goes in circles is an error where it is needed.
func (v *volume) chain(first uint32, want int64) ([]uint32, error) {
	var list []uint32
	for c := first; int64(len(list)) < want; {
		if c < 2 || c >= v.clusters+2 {
			return nil, fmt.Errorf("cluster %d of %d is %d, outside of the volume", len(list), want, c)
		}
		list = append(list, c)
		next, ok, err := v.next(c)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		c = next
	}
	return list, nil
}

func (v *volume) readCluster(b []byte, c uint32) error {
	_, err := v.dev.ReadAt(b, v.dataStart+int64(c-2)*v.clusterBytes)
	return err
}

// read returns all of a file.
func (v *volume) read(f file) ([]byte, error) {
	if f.size > int64(v.clusters)*v.clusterBytes {
		return nil, fmt.Errorf("%s has %d bytes, more than the volume", f.name, f.size)
	}
	b := make([]byte, f.size)
	return b, v.readAt(f, b, 0)
}

// readAt fills b from a place of a file. A chain that ends early is an error.
func (v *volume) readAt(f file, b []byte, at int64) error {
	if at < 0 || at+int64(len(b)) > f.size {
		return errors.New("it ends too early")
	}
	if len(b) == 0 {
		return nil
	}
	need := (at + int64(len(b)) + v.clusterBytes - 1) / v.clusterBytes
	chain, err := v.chain(f.first, need)
	if err != nil {
		return err
	}
	if int64(len(chain)) < need {
		return fmt.Errorf("its chain has %d clusters of %d", len(chain), need)
	}
	for len(b) > 0 {
		i, offset := at/v.clusterBytes, at%v.clusterBytes
		n := min(int64(len(b)), v.clusterBytes-offset)
		if _, err := v.dev.ReadAt(b[:n], v.dataStart+int64(chain[i]-2)*v.clusterBytes+offset); err != nil {
			return err
		}
		b, at = b[n:], at+n
	}
	return nil
}

// find looks a path up; letter case does not matter.
func (v *volume) find(path string) (file, error) {
	f := v.root
	for part := range strings.SplitSeq(path, "/") {
		files, err := v.list(f)
		if err != nil {
			return file{}, fmt.Errorf("%s: %w", path, err)
		}
		found := false
		for _, candidate := range files {
			if strings.EqualFold(candidate.name, part) {
				f, found = candidate, true
				break
			}
		}
		if !found {
			return file{}, fmt.Errorf("%s: there is no %s", path, part)
		}
	}
	return f, nil
}
