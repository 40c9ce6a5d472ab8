// Package ukitest has what tests make UKIs from. It is for tests only.
package ukitest

import "encoding/binary"

// Stub is the smallest PE32+ image of x86_64 that sections can be appended to, or that a loader may be: one section, and room in its headers.
func Stub() []byte {
	b := make([]byte, 0x600)
	le := binary.LittleEndian
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	copy(b[0x40:], "PE\x00\x00\x64\x86\x01\x00")
	le.PutUint16(b[0x44+16:], 240)
	opt := b[0x58:]
	le.PutUint16(opt, 0x20b)
	le.PutUint32(opt[32:], 0x1000)
	le.PutUint32(opt[36:], 0x200)
	le.PutUint32(opt[60:], 0x400)
	le.PutUint32(opt[108:], 16) // data directories
	section := opt[240:]
	copy(section, ".text")
	for i, v := range []uint32{1, 0x1000, 0x200, 0x400} {
		le.PutUint32(section[8+4*i:], v)
	}
	return b
}
