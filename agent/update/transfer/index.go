package transfer

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/stele-os/stele/internal/verity"
)

// maxIndexed blocks of the running slot, 4 GiB of root, are found again at other places: 8 MiB of memory.
const maxIndexed = 1 << 20

// index finds blocks of the running slot by their digest: sorted, 40 bits of the digest above 24 bits of the block's number. It is a hint: what
// is found is hashed before it is used.
type index []uint64

const numberBits = 24

// newIndex reads the leaves of the running slot's tree. Where that does not work, nothing is found.
func newIndex(ctx context.Context, running Running) index {
	if running.Root == nil || running.Verity == nil {
		return nil
	}
	t, err := openTree(running.Verity, verity.Digest{})
	if err != nil || t.dataBlocks == 1 {
		return nil
	}
	total := min(t.dataBlocks, maxIndexed)
	x := make(index, 0, total)
	leaves := make([]byte, verity.BlockSize)
	for first := int64(0); first < total && ctx.Err() == nil; first += digestsPerBlock {
		part := leaves[:min(digestsPerBlock, total-first)*int64(len(verity.Digest{}))]
		if t.readLeaves(part, first) != nil {
			return nil
		}
		for i := 0; i < len(part); i += len(verity.Digest{}) {
			x = append(x, prefix(part[i:])|uint64(first)+uint64(i/len(verity.Digest{})))
		}
	}
	slices.Sort(x)
	return slices.CompactFunc(x, func(a, b uint64) bool { return a>>numberBits == b>>numberBits })
}

func prefix(digest []byte) uint64 { return binary.BigEndian.Uint64(digest) >> numberBits << numberBits }

// find returns the number of a block that may have this digest.
func (x index) find(digest []byte) (int64, bool) {
	want := prefix(digest)
	at, _ := slices.BinarySearchFunc(x, want, func(e, want uint64) int { return cmp.Compare(e, want) })
	if at == len(x) || x[at]>>numberBits != want>>numberBits {
		return 0, false
	}
	return int64(x[at] & (1<<numberBits - 1)), true
}
