package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/stele-os/stele/internal/verity"
)

const digestsPerBlock = verity.BlockSize / sha256.Size

// tree is a hash tree on a device: what the layout of internal/verity says about where its leaves are.
type tree struct {
	device io.ReaderAt
	salt   []byte
	// root is the digest of the only block of data, where there is just one: such a tree has no leaves.
	root verity.Digest
	// leaves is the byte offset of the lowest level, dataBlocks the number of its digests.
	leaves, dataBlocks int64
}

// openTree reads the superblock. Nothing of it is trusted: who uses the leaves has verified them, or verifies what they lead to.
func openTree(device io.ReaderAt, root verity.Digest) (tree, error) {
	head := make([]byte, verity.BlockSize)
	if _, err := device.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return tree{}, err
	}
	s, err := verity.DecodeSuperblock(head)
	if err != nil {
		return tree{}, err
	}
	t := tree{device: device, salt: s.Salt, root: root, dataBlocks: s.DataBlocks, leaves: verity.BlockSize}
	for _, blocks := range levels(s.DataBlocks)[1:] {
		t.leaves += blocks * verity.BlockSize
	}
	return t, nil
}

// levels gives the number of blocks of each level above the data, leaves first; at least one, which is empty over a single block of data.
func levels(dataBlocks int64) []int64 {
	var sizes []int64
	for blocks := dataBlocks; blocks > 1 || len(sizes) == 0; {
		blocks = (blocks + digestsPerBlock - 1) / digestsPerBlock
		sizes = append(sizes, blocks)
	}
	return sizes
}

// check verifies every hash block below the root hash: level by level from the top, each block against its digest in the level above.
func (t tree) check(ctx context.Context) error {
	if t.dataBlocks == 1 {
		return nil
	}
	sizes := levels(t.dataBlocks)
	above, at := t.root[:], int64(verity.BlockSize)
	for level := len(sizes) - 1; level >= 0; level-- {
		reader := io.NewSectionReader(t.device, at, sizes[level]*verity.BlockSize)
		below, err := t.checkLevel(ctx, reader, above, level > 0)
		if err != nil {
			return fmt.Errorf("level %d of the hash tree: %w", level, err)
		}
		above, at = below, at+sizes[level]*verity.BlockSize
	}
	return nil
}

// checkLevel returns the level's content where the next one needs it: the lowest level, 128 times as large as all others, is not kept.
func (t tree) checkLevel(ctx context.Context, level io.Reader, digests []byte, keep bool) ([]byte, error) {
	var content []byte
	block, h := make([]byte, verity.BlockSize), newHasher(t.salt)
	for i := 0; ; i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch _, err := io.ReadFull(level, block); {
		case errors.Is(err, io.EOF):
			return content, nil
		case err != nil:
			return nil, err
		}
		if !h.matches(block, digests[i*sha256.Size:]) {
			return nil, fmt.Errorf("block %d: %w", i, verity.ErrMismatch)
		}
		if keep {
			content = append(content, block...)
		}
	}
}

// readLeaves reads the digests of data blocks from first into leaves.
func (t tree) readLeaves(leaves []byte, first int64) error {
	if t.dataBlocks == 1 {
		copy(leaves, t.root[:])
		return nil
	}
	n, err := t.device.ReadAt(leaves, t.leaves+first*sha256.Size)
	if n < len(leaves) {
		return fmt.Errorf("cannot read leaves of the hash tree from block %d: %w", first, err)
	}
	return nil
}

// Verify reads root and verity and returns an error that wraps verity.ErrMismatch unless all of both follows from rootHash. On all CPUs, in
// bounded memory. What it reads from decides what it proves: block.ReadMedium's readers see the medium, others may see a cache.
func Verify(ctx context.Context, root, hashes io.ReaderAt, rootHash string) error {
	want, err := hex.DecodeString(rootHash)
	if err != nil || len(want) != sha256.Size {
		return fmt.Errorf("cannot verify: root hash %q is no SHA-256", rootHash)
	}
	_, err = verity.Verify(ctx, hashes, root, verity.Digest(want))
	return err
}
