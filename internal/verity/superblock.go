package verity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// superblockSize is sizeof(struct verity_sb) of cryptsetup's lib/verity/verity.c.
const superblockSize = 512

const (
	signature = "verity\x00\x00"
	algorithm = "sha256"
)

// Superblock is the head of a hash device.
type Superblock struct {
	// UUID in the order of its text form.
	UUID       [16]byte
	DataBlocks int64
	Salt       []byte
}

// Encode gives the 512 bytes that lie at the start of the hash device.
func (s Superblock) Encode() ([]byte, error) {
	if len(s.Salt) > MaxSaltSize {
		return nil, fmt.Errorf("cannot encode verity superblock: salt of %d bytes, at most %d fit", len(s.Salt), MaxSaltSize)
	}
	b := make([]byte, superblockSize)
	le := binary.LittleEndian
	copy(b[0:8], signature)
	le.PutUint32(b[8:], 1)  // superblock version
	le.PutUint32(b[12:], 1) // hash type: salt first
	copy(b[16:32], s.UUID[:])
	copy(b[32:64], algorithm)
	le.PutUint32(b[64:], BlockSize) // data block size
	le.PutUint32(b[68:], BlockSize) // hash block size
	le.PutUint64(b[72:], uint64(s.DataBlocks))
	le.PutUint16(b[80:], uint16(len(s.Salt)))
	copy(b[88:344], s.Salt)
	return b, nil
}

// DecodeSuperblock reads the head of a hash device; what this package does not write is refused by name.
func DecodeSuperblock(b []byte) (Superblock, error) {
	refuse := func(format string, args ...any) (Superblock, error) {
		return Superblock{}, fmt.Errorf("cannot decode verity superblock: "+format, args...)
	}
	if len(b) < superblockSize {
		return refuse("%d bytes, not %d", len(b), superblockSize)
	}
	le := binary.LittleEndian
	name, _, _ := bytes.Cut(b[32:64], []byte{0})
	data, hash, salt := le.Uint32(b[64:]), le.Uint32(b[68:]), int(le.Uint16(b[80:]))
	blocks := le.Uint64(b[72:])
	switch {
	case string(b[0:8]) != signature:
		return Superblock{}, errNoSignature
	case le.Uint32(b[8:]) != 1 || le.Uint32(b[12:]) != 1:
		return refuse("version %d, hash type %d; only 1 and 1 are known", le.Uint32(b[8:]), le.Uint32(b[12:]))
	case string(name) != algorithm:
		return refuse("hash algorithm %q", name)
	case data != BlockSize || hash != BlockSize:
		return refuse("data blocks of %d and hash blocks of %d bytes", data, hash)
	case salt > MaxSaltSize:
		return refuse("salt of %d bytes", salt)
	case blocks == 0 || blocks > 1<<51:
		return refuse("%d data blocks", blocks)
	}
	return Superblock{UUID: [16]byte(b[16:32]), DataBlocks: int64(blocks), Salt: bytes.Clone(b[88 : 88+salt])}, nil
}

var errNoSignature = errors.New("cannot decode verity superblock: signature is missing")
