package fat

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/stele-os/stele/internal/block"
)

// layout is where the areas of an opened volume lie, in bytes.
type layout struct {
	sectorBytes, clusterBytes int64
	// tables are the offsets of the copies in use; the first one is read.
	tables     []int64
	tableBytes int64
	data       int64
	clusters   uint32
	root       uint32
	// rootFields is where the root directory's cluster number is written: in the boot sector, then in its copy.
	rootFields []clusterField
	// info is the offset of FSInfo; 0 where there is none.
	info int64
}

// errNotFAT32 is another file system, or none.
var errNotFAT32 = errors.New("it is no FAT32 file system")

// readLayout reads the boot sector (fatgen103, "Boot Sector and BPB"), and believes nothing that does not fit the device.
func readLayout(d block.Device) (layout, error) {
	b := make([]byte, 512)
	if err := readFull(d, b, 0); err != nil {
		return layout{}, err
	}
	l := layout{sectorBytes: int64(le.Uint16(b[11:])), root: le.Uint32(b[44:])}
	perCluster, reserved, copies := int64(b[13]), int64(le.Uint16(b[14:])), int64(b[16])
	switch {
	case b[510] != 0x55 || b[511] != 0xaa:
		return l, fmt.Errorf("%w: the boot sector has no signature", errNotFAT32)
	case l.sectorBytes < 512 || l.sectorBytes > 4096 || bits.OnesCount64(uint64(l.sectorBytes)) != 1:
		return l, fmt.Errorf("%w: sectors of %d bytes", errNotFAT32, l.sectorBytes)
	case bits.OnesCount64(uint64(perCluster)) != 1:
		return l, fmt.Errorf("%w: clusters of %d sectors", errNotFAT32, perCluster)
	case reserved == 0 || copies == 0 || copies > 4:
		return l, fmt.Errorf("%w: %d reserved sectors, %d tables", errNotFAT32, reserved, copies)
	case le.Uint16(b[22:]) != 0 || le.Uint16(b[17:]) != 0: // BPB_FATSz16, BPB_RootEntCnt
		return l, fmt.Errorf("%w: FAT12 and FAT16 are not supported, format it as FAT32", errNotFAT32)
	case le.Uint16(b[42:]) != 0: // BPB_FSVer
		return l, fmt.Errorf("%w: version %#x", errNotFAT32, le.Uint16(b[42:]))
	}
	l.clusterBytes = perCluster * l.sectorBytes
	sectors := int64(le.Uint32(b[32:]))
	if sectors == 0 {
		sectors = int64(le.Uint16(b[19:]))
	}
	l.tableBytes = int64(le.Uint32(b[36:])) * l.sectorBytes
	l.data = reserved*l.sectorBytes + copies*l.tableBytes
	if sectors*l.sectorBytes > d.SizeBytes() || l.data > sectors*l.sectorBytes {
		return l, fmt.Errorf("%w: its %d sectors of %d bytes do not fit %d bytes", errNotFAT32, sectors, l.sectorBytes, d.SizeBytes())
	}
	clusters := (sectors*l.sectorBytes - l.data) / l.clusterBytes
	if err := l.setClusters(clusters); err != nil {
		return l, err
	}
	l.setTables(reserved*l.sectorBytes, copies, le.Uint16(b[40:]))
	l.findCopies(d, int64(le.Uint16(b[50:])), int64(le.Uint16(b[48:])), reserved)
	return l, nil
}

// setClusters judges their number (fatgen103, "FAT Type Determination").
func (l *layout) setClusters(clusters int64) error {
	switch {
	case clusters < minClusters:
		return fmt.Errorf("%w: it has %d clusters, and fewer than %d are FAT16 to some readers", errNotFAT32, clusters, minClusters)
	case clusters > maxClusters || (clusters+2)*4 > l.tableBytes:
		return fmt.Errorf("%w: its table of %d bytes does not hold %d clusters", errNotFAT32, l.tableBytes, clusters)
	case l.root < 2 || int64(l.root)-2 >= clusters:
		return fmt.Errorf("%w: its root directory is said to be in cluster %d of %d", errNotFAT32, l.root, clusters)
	}
	l.clusters = uint32(clusters)
	return nil
}

// setTables obeys BPB_ExtFlags: with bit 7 one table is in use, and bits 0 to 3 say which.
func (l *layout) setTables(first, copies int64, flags uint16) {
	active := int64(flags & 0x0f)
	for i := range copies {
		if flags&0x80 == 0 || i == active {
			l.tables = append(l.tables, first+i*l.tableBytes)
		}
	}
	if len(l.tables) == 0 {
		l.tables = []int64{first}
	}
}

// findCopies finds the copy of the boot sector and FSInfo, where they are what they should be.
func (l *layout) findCopies(d block.Device, backup, info, reserved int64) {
	l.rootFields = []clusterField{{44, 45, 46, 47}}
	b := make([]byte, 512)
	if at := backup * l.sectorBytes; backup > 0 && backup < reserved && readFull(d, b, at) == nil && b[510] == 0x55 && b[511] == 0xaa && le.Uint32(b[44:]) == l.root {
		l.rootFields = append(l.rootFields, clusterField{at + 44, at + 45, at + 46, at + 47})
	}
	if at := info * l.sectorBytes; info > 0 && info < reserved && readFull(d, b, at) == nil && le.Uint32(b) == infoLead && le.Uint32(b[484:]) == infoStructure {
		l.info = at
	}
}

func (l *layout) clusterOffset(cluster uint32) int64 {
	return l.data + int64(cluster-2)*l.clusterBytes
}

// valid tells whether a number is one of a cluster.
func (l *layout) valid(cluster uint32) bool { return cluster >= 2 && cluster-2 < l.clusters }

// clusterField is where the four bytes of a cluster number lie, lowest first. They may lie apart: DIR_FstClusLO, DIR_FstClusHI.
type clusterField [4]int64

// readFull reads all of b: ReadAt may say io.EOF although it did.
func readFull(d block.Device, b []byte, at int64) error {
	if n, err := d.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("cannot read %d bytes at %d: %w", len(b), at, err)
	}
	return nil
}
