package transfer

import (
	"bytes"
	"crypto/sha256"
	"hash"
)

// hasher computes digests of blocks without allocating. It is one goroutine's.
type hasher struct {
	hash.Hash
	salt []byte
	sum  [sha256.Size]byte
}

func newHasher(salt []byte) *hasher { return &hasher{Hash: sha256.New(), salt: salt} }

// matches tells whether want begins with the block's digest (kernel, admin-guide/device-mapper/verity: hash type 1, salt first).
func (h *hasher) matches(block, want []byte) bool {
	h.Reset()
	h.Write(h.salt)
	h.Write(block)
	return bytes.Equal(h.Sum(h.sum[:0]), want[:sha256.Size])
}
