package verity

import (
	"bytes"
	"testing"
)

// FuzzDecodeSuperblock: what decodes is encoded to bytes that decode to the same.
func FuzzDecodeSuperblock(f *testing.F) {
	b, _ := Superblock{UUID: testUUID, DataBlocks: 5, Salt: testSalt}.Encode()
	f.Add(b)
	f.Add(b[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSuperblock(b)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		same, err := DecodeSuperblock(again)
		if err != nil || same.UUID != s.UUID || same.DataBlocks != s.DataBlocks || !bytes.Equal(same.Salt, s.Salt) {
			t.Fatalf("%+v, not %+v: %v", same, s, err)
		}
	})
}
