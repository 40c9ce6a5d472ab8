package metadata

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

// volume is a label found on a device, and the kernel's name of the file system that carries it.
type volume struct {
	fstype string
	label  string
}

// labels returns every label that a device carries: ISO 9660 first, because a hybrid image may begin with anything.
// Nothing but the label is decoded here; the file system itself is read by the kernel.
func labels(r io.ReaderAt) []volume {
	var out []volume
	if l, ok := isoLabel(r); ok {
		out = append(out, volume{"iso9660", l})
	}
	for _, l := range fatLabels(r) {
		out = append(out, volume{"vfat", l})
	}
	return out
}

// ISO 9660 volume descriptors (ECMA-119 4th edition, 6.3 and table 4 "Primary Volume Descriptor").
const (
	isoDescriptors  = 16 * 2048 // 6.2.1: the data area begins with logical sector 16
	isoPrimary      = 1         // 8.4.1 volume descriptor type
	isoLabelOffset  = 40        // 8.4.7 volume identifier, byte positions 41 to 72
	isoLabelLength  = 32
	isoStandardName = "CD001" // 8.4.2 standard identifier, byte positions 2 to 6
)

// isoLabel reads the volume identifier of the primary volume descriptor.
func isoLabel(r io.ReaderAt) (string, bool) {
	b := make([]byte, isoLabelOffset+isoLabelLength)
	if _, err := r.ReadAt(b, isoDescriptors); err != nil {
		return "", false
	}
	if b[0] != isoPrimary || string(b[1:6]) != isoStandardName {
		return "", false
	}
	return strings.TrimRight(string(b[isoLabelOffset:]), " \x00"), true
}

// fat is what of a FAT boot sector matters here (Microsoft FAT specification 1.03, "Boot Sector and BPB").
type fat struct {
	sectorBytes  int64
	clusterBytes int64
	reserved     int64 // sectors before the first FAT
	fats         int64
	rootEntries  int64 // 0 on FAT32
	fatSectors   int64
	rootCluster  int64
	label        string // BS_VolLab, 11 bytes
}

// decodeFAT reads the boot sector; ok is false when it is none.
func decodeFAT(b []byte) (f fat, ok bool) {
	if len(b) < 512 || b[510] != 0x55 || b[511] != 0xaa {
		return fat{}, false
	}
	f.sectorBytes = int64(binary.LittleEndian.Uint16(b[11:]))   // BPB_BytsPerSec
	f.clusterBytes = f.sectorBytes * int64(b[13])               // BPB_SecPerClus
	f.reserved = int64(binary.LittleEndian.Uint16(b[14:]))      // BPB_RsvdSecCnt
	f.fats = int64(b[16])                                       // BPB_NumFATs
	f.rootEntries = int64(binary.LittleEndian.Uint16(b[17:]))   // BPB_RootEntCnt
	f.fatSectors = int64(binary.LittleEndian.Uint16(b[22:]))    // BPB_FATSz16
	signature, label, kind := b[38], b[43:54], string(b[54:62]) // BS_BootSig, BS_VolLab, BS_FilSysType of FAT12/16
	if f.fatSectors == 0 {                                      // FAT32
		f.fatSectors = int64(binary.LittleEndian.Uint32(b[36:]))   // BPB_FATSz32
		f.rootCluster = int64(binary.LittleEndian.Uint32(b[44:]))  // BPB_RootClus
		signature, label, kind = b[66], b[71:82], string(b[82:90]) // the same three of FAT32
	}
	power := f.sectorBytes >= 512 && f.sectorBytes <= 4096 && f.sectorBytes&(f.sectorBytes-1) == 0
	if !power || b[13] == 0 || b[13]&(b[13]-1) != 0 || f.reserved == 0 || f.fats == 0 || f.fats > 2 || f.fatSectors == 0 {
		return fat{}, false
	}
	if signature == 0x29 && strings.HasPrefix(kind, "FAT") {
		f.label = strings.TrimRight(string(label), " \x00")
	}
	return f, true
}

// rootOffset and rootBytes say where the first piece of the root directory lies ("FAT Data Structure", FirstDataSector).
func (f fat) rootOffset() int64 {
	start := (f.reserved + f.fats*f.fatSectors) * f.sectorBytes
	if f.rootEntries > 0 {
		return start
	}
	return start + (f.rootCluster-2)*f.clusterBytes
}

func (f fat) rootBytes() int64 {
	if f.rootEntries > 0 {
		return f.rootEntries * 32
	}
	return f.clusterBytes
}

// fatLabels reads the label in the root directory (ATTR_VOLUME_ID), where tools change it, and the boot sector's copy, where some
// leave the old one. Of a FAT32 root directory only the first cluster is looked at: format tools put the label first.
func fatLabels(r io.ReaderAt) []string {
	sector := make([]byte, 512)
	if _, err := r.ReadAt(sector, 0); err != nil {
		return nil
	}
	f, ok := decodeFAT(sector)
	if !ok {
		return nil
	}
	var out []string
	if f.rootEntries > 0 || f.rootCluster >= 2 {
		root := make([]byte, min(f.rootBytes(), 64<<10))
		if _, err := r.ReadAt(root, f.rootOffset()); err == nil || err == io.EOF {
			out = appendLabel(out, rootLabel(root))
		}
	}
	return appendLabel(out, f.label)
}

// rootLabel finds the volume's entry in a root directory ("FAT Directory Structure").
func rootLabel(root []byte) string {
	const (
		attributes = 11   // DIR_Attr
		volumeID   = 0x08 // ATTR_VOLUME_ID
		longMask   = 0x3f // ATTR_LONG_NAME_MASK
		longName   = 0x0f // ATTR_LONG_NAME
		free       = 0xe5
	)
	for ; len(root) >= 32; root = root[32:] {
		switch {
		case root[0] == 0:
			return ""
		case root[0] == free || root[attributes]&longMask == longName:
		case root[attributes]&volumeID != 0:
			return string(bytes.TrimRight(root[:11], " \x00"))
		}
	}
	return ""
}

func appendLabel(list []string, label string) []string {
	if label == "" {
		return list
	}
	return append(list, label)
}
