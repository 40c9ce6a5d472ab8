package fat

import (
	"encoding/binary"
	"fmt"
)

const (
	sectorSize = 512
	// minReserved is the number of reserved sectors that fatgen103 (BPB_RsvdSecCnt) gives as typical for FAT32.
	minReserved = 32
	tables      = 2
	// minClusters: a volume with fewer clusters is FAT16 by definition (fatgen103, "FAT Type Determination").
	minClusters = 65525
	maxClusters = 0x0ffffff5
	// MinBytes is the smallest volume Write makes.
	MinBytes = 33 << 20
)

var le = binary.LittleEndian

// geometry is where the areas of the volume lie.
type geometry struct {
	sectors, reserved, tableSectors uint32
	sectorsPerCluster               uint32
	clusters                        uint32
}

// planGeometry picks the cluster size by fatgen103's table for FAT32 (512 bytes up to 260 MiB, 4 KiB up to 8 GiB, then 8 KiB and
// more), and starts the clusters at a multiple of their size.
func planGeometry(p Params) (geometry, error) {
	if p.SizeBytes%sectorSize != 0 || p.SizeBytes/sectorSize > 1<<32-1 {
		return geometry{}, fmt.Errorf("cannot plan FAT32 volume: %d bytes are not a number of sectors that 32 bits hold", p.SizeBytes)
	}
	if p.SizeBytes < MinBytes {
		return geometry{}, fmt.Errorf("cannot plan FAT32 volume: %d bytes are less than the %d that FAT32 needs", p.SizeBytes, MinBytes)
	}
	g := geometry{sectors: uint32(p.SizeBytes / sectorSize), sectorsPerCluster: 1}
	for _, step := range []struct {
		above   int64
		sectors uint32
	}{{260 << 20, 8}, {8 << 30, 16}, {16 << 30, 32}, {32 << 30, 64}} {
		if p.SizeBytes > step.above {
			g.sectorsPerCluster = step.sectors
		}
	}
	// A table sector holds 128 entries; two entries stand for no cluster. Counting the tables' own sectors as clusters too makes
	// the tables a little longer than needed, which is allowed.
	g.tableSectors = ((g.sectors-minReserved)/g.sectorsPerCluster + 2 + 127) / 128
	data := align(minReserved+tables*g.tableSectors, g.sectorsPerCluster)
	g.reserved = data - tables*g.tableSectors
	g.clusters = (g.sectors - data) / g.sectorsPerCluster
	if g.clusters < minClusters || g.clusters > maxClusters {
		return geometry{}, fmt.Errorf("cannot plan FAT32 volume: %d bytes give %d clusters", p.SizeBytes, g.clusters)
	}
	return g, nil
}

func (g geometry) clusterBytes() int64 { return int64(g.sectorsPerCluster) * sectorSize }

// clusterOffset is the byte offset of a cluster; the first one has number 2.
func (g geometry) clusterOffset(cluster uint32) int64 {
	data := int64(g.reserved+tables*g.tableSectors) * sectorSize
	return data + int64(cluster-2)*g.clusterBytes()
}

func align(n, to uint32) uint32 { return (n + to - 1) / to * to }
