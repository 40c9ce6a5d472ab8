package verity

import (
	"context"
	"fmt"
	"io"
)

// WriteTree writes the hash tree over dataBytes of data (whole blocks) to its place on the hash device, without superblock,
// and returns the root hash. WriteSuperblock completes the device; they are apart because a UUID may come from the root hash.
func WriteTree(ctx context.Context, hash io.WriterAt, data io.ReaderAt, dataBytes int64, salt []byte) (Digest, error) {
	if dataBytes%BlockSize != 0 {
		return Digest{}, fmt.Errorf("cannot write hash tree: data of %d bytes is not a multiple of %d", dataBytes, BlockSize)
	}
	root, err := buildTree(ctx, data, dataBytes/BlockSize, salt, func(block []byte, offset int64) error {
		_, err := hash.WriteAt(block, offset)
		return err
	})
	if err != nil {
		return Digest{}, fmt.Errorf("cannot write hash tree: %w", err)
	}
	return root, nil
}

// WriteSuperblock writes block 0 of the hash device, padded to the whole block.
func WriteSuperblock(hash io.WriterAt, s Superblock) error {
	b, err := s.Encode()
	if err != nil {
		return err
	}
	if _, err := hash.WriteAt(append(b, make([]byte, BlockSize-len(b))...), 0); err != nil {
		return fmt.Errorf("cannot write verity superblock: %w", err)
	}
	return nil
}
