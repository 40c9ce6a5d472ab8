package fat

import (
	"strings"
	"unicode/utf16"
)

// First bytes of a slot that is no entry (fatgen103, "FAT Directory Structure", DIR_Name[0]).
const (
	slotEnd     = 0x00 // and no entry follows
	slotFree    = 0xe5
	slotKanji   = 0x05 // stands for 0xe5 as a character
	lastLong    = 0x40 // LAST_LONG_ENTRY, on the part that lies first
	maxLong     = 20   // parts of a name of 255 units
	caseBase    = 0x08 // DIR_NTRes: the base of a short name reads in lower case (set by Windows, Linux, EDK2; not in fatgen103)
	caseExt     = 0x10 // the same for the extension
	attributeOf = 0x3f // ATTR_LONG_NAME_MASK
)

// record is an entry with its place: slots at-long to at, the short one last.
type record struct {
	name       string
	short      [11]byte
	attributes byte
	first      uint32
	size       int64
	at, long   int
}

func (r record) dir() bool { return r.attributes&attributeDirectory != 0 }

// is tells whether the record goes by this name. FAT takes no notice of letter case.
func (r record) is(name string) bool {
	return strings.EqualFold(r.name, name) || strings.EqualFold(plainName(r.short), name)
}

// listing is what a directory's bytes say.
type listing struct {
	records []record
	// dots are "." and "..".
	dots []record
	// orphans are slots with parts of long names that belong to no entry.
	orphans []int
	// end is the first slot behind the last entry.
	end int
}

// scan reads the slots of a directory, as far as they make sense. It cannot fail: what makes no sense is no entry.
func scan(raw []byte) listing {
	var l listing
	var pending []int // slots of a long name that its short one must follow
	orphan := func() { l.orphans, pending = append(l.orphans, pending...), nil }
	for l.end = 0; l.end < len(raw)/entryBytes; l.end++ {
		slot := raw[l.end*entryBytes:][:entryBytes]
		switch {
		case slot[0] == slotEnd:
			orphan()
			return l
		case slot[0] == slotFree:
			orphan()
		case slot[11]&attributeOf == attributeLongName:
			if !continues(raw, pending, slot) {
				orphan()
			}
			if len(pending) > 0 || slot[0]&lastLong != 0 {
				pending = append(pending, l.end)
			} else {
				l.orphans = append(l.orphans, l.end)
			}
		default:
			r := decodeShort(slot, l.end)
			if name, ok := decodeLong(raw, pending, r.short); ok {
				r.name, r.long, pending = name, len(pending), nil
			}
			orphan()
			l.add(r)
		}
	}
	orphan()
	return l
}

func (l *listing) add(r record) {
	switch {
	case r.attributes&attributeVolume != 0:
	case r.short[0] == '.':
		l.dots = append(l.dots, r)
	default:
		l.records = append(l.records, r)
	}
}

// find returns the entry with this name, or nil.
func (l *listing) find(name string) *record {
	for i := range l.records {
		if l.records[i].is(name) {
			return &l.records[i]
		}
	}
	return nil
}

// taken are the short names in use.
func (l *listing) taken() map[[11]byte]bool {
	taken := map[[11]byte]bool{}
	for _, r := range l.records {
		taken[r.short] = true
	}
	return taken
}

// continues tells whether slot is the part of a long name that comes behind those pending: one less, with the same checksum.
func continues(raw []byte, pending []int, slot []byte) bool {
	if len(pending) == 0 {
		return true
	}
	before := raw[pending[len(pending)-1]*entryBytes:]
	return slot[0] == before[0]&^lastLong-1 && slot[13] == before[13]
}

// decodeLong puts the parts together (fatgen103, "FAT Long Directory Entries"); false where they are not all there, or another name's.
func decodeLong(raw []byte, parts []int, short [11]byte) (string, bool) {
	if len(parts) == 0 || len(parts) > maxLong || raw[parts[0]*entryBytes] != byte(lastLong|len(parts)) {
		return "", false
	}
	var units []uint16
	for i := len(parts) - 1; i >= 0; i-- {
		slot := raw[parts[i]*entryBytes:]
		if slot[13] != shortChecksum(short) {
			return "", false
		}
		for _, offset := range longUnits {
			units = append(units, le.Uint16(slot[offset:]))
		}
	}
	for i, u := range units {
		if u == 0 {
			units = units[:i]
			break
		}
	}
	return string(utf16.Decode(units)), len(units) > 0
}

// decodeShort reads a short entry. Characters above 127 depend on a code page that nobody recorded; they are taken as Latin-1.
func decodeShort(slot []byte, at int) record {
	r := record{
		short: [11]byte(slot), attributes: slot[11], at: at, size: int64(le.Uint32(slot[28:])),
		first: (uint32(le.Uint16(slot[20:]))<<16 | uint32(le.Uint16(slot[26:]))) & entryMask,
	}
	readable := r.short
	if readable[0] == slotKanji {
		readable[0] = slotFree
	}
	if slot[12]&caseBase != 0 {
		copy(readable[:8], lower(readable[:8]))
	}
	if slot[12]&caseExt != 0 {
		copy(readable[8:], lower(readable[8:]))
	}
	r.name = latin1(plainName(readable))
	return r
}

func latin1(s string) string {
	runes := make([]rune, 0, len(s))
	for _, c := range []byte(s) {
		runes = append(runes, rune(c))
	}
	return string(runes)
}

func lower(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		if out[i] = c; 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}
