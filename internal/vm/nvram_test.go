package vm

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// emptyFlash is a flash image with an empty store of so many bytes, and something behind it.
func emptyFlash(store int) []byte {
	b := bytes.Repeat([]byte{0xff}, 72+store+64)
	clear(b[:72])
	binary.LittleEndian.PutUint16(b[volumeHeaderLength:], 72)
	copy(b[72:], authenticatedStore)
	binary.LittleEndian.PutUint32(b[72+storeSize:], uint32(store))
	return b
}

func TestFillVariables(t *testing.T) {
	for _, store := range []int{0x3ffb8, 9000, 200, storeHeaderBytes, storeHeaderBytes + variableBytes} {
		flash := emptyFlash(store)
		for range 2 { // what is full stays as it is
			before := bytes.Clone(flash)
			if err := fillVariables(flash); err != nil {
				t.Fatal(err)
			}
			if end := 72 + store; !bytes.Equal(flash[end:], before[end:]) {
				t.Errorf("store of %d bytes: what lies behind it has changed", store)
			}
		}
		if left := remaining(flash); left > variableBytes+16 {
			t.Errorf("store of %d bytes: %d are left", store, left)
		}
	}
	for name, flash := range map[string][]byte{"empty": nil, "no store": make([]byte, 1024), "cut": emptyFlash(9000)[:4000]} {
		if err := fillVariables(flash); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// remaining walks over the variables as firmware does.
func remaining(flash []byte) int {
	le := binary.LittleEndian
	end := 72 + int(le.Uint32(flash[72+storeSize:]))
	at := 72 + storeHeaderBytes
	for at+variableBytes <= end && le.Uint16(flash[at:]) == variableStart {
		at += variableLength(le.Uint32(flash[at+36:]), le.Uint32(flash[at+40:]))
	}
	return end - at
}
