package fat

import "time"

// Attributes and sizes of directory entries (fatgen103, "FAT Directory Structure").
const (
	entryBytes         = 32
	attributeVolume    = 0x08
	attributeDirectory = 0x10
	attributeArchive   = 0x20
	attributeLongName  = 0x0f
	unitsPerLongEntry  = 13
)

// longEntries is how many entries the long name takes.
func longEntries(name string, short [11]byte) int {
	if plainName(short) == name {
		return 0
	}
	return (len(name) + unitsPerLongEntry - 1) / unitsPerLongEntry
}

// directoryBytes is the length of n's entries, arranged: label or "." and "..", then the children, then spare slots.
func (n *node) directoryBytes(p Params) int64 {
	slots := 2
	for _, c := range n.children {
		count := longEntries(c.name, c.short) + 1
		slots = nextFit(slots, count) + count
	}
	return int64(sectorEnd(slots)+spareSlots) * entryBytes
}

// encodeDirectory gives n's entries. A ".." that leads to the root says cluster 0, not the root's own number.
func (n *node) encodeDirectory(p Params, parent *node) []byte {
	var b []byte
	switch {
	case n.first != rootCluster:
		up := parent.first
		if up == rootCluster {
			up = 0
		}
		b = append(b, encodeEntry(packShort(".", ""), attributeDirectory, n.first, 0, p.Time)...)
		b = append(b, encodeEntry(packShort("..", ""), attributeDirectory, up, 0, p.Time)...)
	case p.Label != "":
		label, _ := encodeLabel(p.Label) // judged when the boot sector is written
		b = append(b, encodeEntry(label, attributeVolume, 0, 0, p.Time)...)
	}
	for _, c := range n.children {
		set := encodeLongName(c.name, c.short)
		if c.dir {
			set = append(set, encodeEntry(c.short, attributeDirectory, c.first, 0, p.Time)...)
		} else {
			set = append(set, encodeEntry(c.short, attributeArchive, c.first, uint32(c.file.Size), p.Time)...)
		}
		b = append(freeUntil(b, nextFit(len(b)/entryBytes, len(set)/entryBytes)), set...)
	}
	return freeUntil(b, sectorEnd(len(b)/entryBytes))
}

// freeUntil fills a directory up with free slots.
func freeUntil(b []byte, slots int) []byte {
	for len(b) < slots*entryBytes {
		b = append(b, slotFree)
		b = append(b, make([]byte, entryBytes-1)...)
	}
	return b
}

func encodeEntry(name [11]byte, attributes byte, cluster, size uint32, at time.Time) []byte {
	b := make([]byte, entryBytes)
	copy(b, name[:])
	b[11] = attributes
	day, clock := dosTime(at)
	le.PutUint16(b[14:], clock) // created
	le.PutUint16(b[16:], day)
	le.PutUint16(b[18:], day) // accessed
	le.PutUint16(b[20:], uint16(cluster>>16))
	le.PutUint16(b[22:], clock) // written
	le.PutUint16(b[24:], day)
	le.PutUint16(b[26:], uint16(cluster))
	le.PutUint32(b[28:], size)
	return b
}

// longUnits is where the characters lie in a long entry: LDIR_Name1, LDIR_Name2, LDIR_Name3.
var longUnits = [unitsPerLongEntry]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30}

// encodeLongName gives the long entries, last part first, as they lie before the short one.
func encodeLongName(name string, short [11]byte) []byte {
	count := longEntries(name, short)
	var b []byte
	for part := count; part >= 1; part-- {
		e := make([]byte, entryBytes)
		e[0] = byte(part)
		if part == count {
			e[0] |= 0x40
		}
		e[11] = attributeLongName
		e[13] = shortChecksum(short)
		for i, offset := range longUnits {
			unit := uint16(0xffff) // behind the terminating zero
			switch at := (part-1)*unitsPerLongEntry + i; {
			case at < len(name):
				unit = uint16(name[at])
			case at == len(name):
				unit = 0
			}
			le.PutUint16(e[offset:], unit)
		}
		b = append(b, e...)
	}
	return b
}

// shortChecksum ties long entries to their short one (fatgen103, ChkSum).
func shortChecksum(short [11]byte) (sum byte) {
	for _, c := range short {
		sum = sum<<7 | sum>>1
		sum += c
	}
	return sum
}

// dosTime clamps to what FAT can say: 1980 to 2107.
func dosTime(at time.Time) (day, clock uint16) {
	at = at.UTC()
	switch {
	case at.Year() < 1980:
		at = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case at.Year() > 2107:
		at = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	day = uint16(at.Year()-1980)<<9 | uint16(at.Month())<<5 | uint16(at.Day())
	clock = uint16(at.Hour())<<11 | uint16(at.Minute())<<5 | uint16(at.Second()/2)
	return day, clock
}
