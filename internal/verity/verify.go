package verity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrMismatch means that data or hash tree are not what the root hash promises.
var ErrMismatch = errors.New("content does not match its root hash")

// Verify reads all data and the whole hash device and returns an error that wraps ErrMismatch unless everything follows from
// root. It returns the superblock, whose UUID is not covered by the root hash.
func Verify(ctx context.Context, hash, data io.ReaderAt, root Digest) (Superblock, error) {
	head := make([]byte, superblockSize)
	if n, err := hash.ReadAt(head, 0); n < len(head) {
		return Superblock{}, fmt.Errorf("cannot read verity superblock: %w", err)
	}
	s, err := DecodeSuperblock(head)
	if err != nil {
		return Superblock{}, err
	}
	got, err := buildTree(ctx, data, s.DataBlocks, s.Salt, func(block []byte, offset int64) error {
		stored := make([]byte, BlockSize)
		if n, err := hash.ReadAt(stored, offset); n < len(stored) {
			return fmt.Errorf("cannot read hash block at byte %d: %w", offset, err)
		}
		if !bytes.Equal(stored, block) {
			return fmt.Errorf("hash block at byte %d: %w", offset, ErrMismatch)
		}
		return nil
	})
	if err != nil {
		return Superblock{}, fmt.Errorf("cannot verify: %w", err)
	}
	if got != root {
		return Superblock{}, fmt.Errorf("cannot verify: root hash is %x, not %x: %w", got, root, ErrMismatch)
	}
	return s, nil
}
