package verity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// chunkBlocks is how many hash blocks one task makes: 8 of them cover 4 MiB of data.
const chunkBlocks = 8

// emit takes one finished hash block of the leaf level or above, at its byte offset on the hash device.
type emit func(block []byte, offset int64) error

// buildTree hashes data bottom up, hands each hash block to out (from many goroutines at once) and returns the root hash.
func buildTree(ctx context.Context, data io.ReaderAt, dataBlocks int64, salt []byte, out emit) (Digest, error) {
	if dataBlocks < 1 {
		return Digest{}, fmt.Errorf("cannot hash %d blocks", dataBlocks)
	}
	sizes := levels(dataBlocks)
	if len(sizes) == 0 {
		block := make([]byte, BlockSize)
		if err := readBlocks(data, block, 0); err != nil {
			return Digest{}, err
		}
		return sha256.Sum256(append(salt[:len(salt):len(salt)], block...)), nil
	}
	offsets := levelOffsets(sizes)
	level, err := hashLeaves(ctx, data, dataBlocks, salt, offsets[0], out)
	if err != nil {
		return Digest{}, err
	}
	for i := 1; i < len(sizes); i++ {
		if level, err = hashDigests(level, salt, offsets[i], out); err != nil {
			return Digest{}, err
		}
	}
	return level[0], nil
}

// hashLeaves makes the lowest level and returns the digest of each of its blocks.
func hashLeaves(ctx context.Context, data io.ReaderAt, dataBlocks int64, salt []byte, offset int64, out emit) ([]Digest, error) {
	hashBlocks := levels(dataBlocks)[0]
	digests := make([]Digest, hashBlocks)
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for first := int64(0); first < hashBlocks && working.Err() == nil; first += chunkBlocks {
		group.Go(func() error {
			buffer := make([]byte, digestsPerBlock*BlockSize)
			for i := first; i < min(first+chunkBlocks, hashBlocks); i++ {
				if err := working.Err(); err != nil {
					return err
				}
				count := min(digestsPerBlock, dataBlocks-i*digestsPerBlock)
				chunk := buffer[:count*BlockSize]
				if err := readBlocks(data, chunk, i*digestsPerBlock*BlockSize); err != nil {
					return err
				}
				block := hashBlock(chunk, salt)
				digests[i] = digest(block, salt)
				if err := out(block, offset+i*BlockSize); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return digests, ctx.Err()
}

// hashDigests makes the next level from the digests of the one below.
func hashDigests(below []Digest, salt []byte, offset int64, out emit) ([]Digest, error) {
	var digests []Digest
	for len(below) > 0 {
		count := min(digestsPerBlock, len(below))
		block := make([]byte, BlockSize)
		for i, d := range below[:count] {
			copy(block[i*sha256.Size:], d[:])
		}
		if err := out(block, offset+int64(len(digests))*BlockSize); err != nil {
			return nil, err
		}
		digests = append(digests, digest(block, salt))
		below = below[count:]
	}
	return digests, nil
}

// hashBlock gives the hash block over up to 128 data blocks.
func hashBlock(chunk, salt []byte) []byte {
	block := make([]byte, BlockSize)
	for i := 0; i*BlockSize < len(chunk); i++ {
		d := digest(chunk[i*BlockSize:][:BlockSize], salt)
		copy(block[i*sha256.Size:], d[:])
	}
	return block
}

func digest(block, salt []byte) (d Digest) {
	h := sha256.New()
	h.Write(salt)
	h.Write(block)
	h.Sum(d[:0])
	return d
}

func readBlocks(data io.ReaderAt, b []byte, offset int64) error {
	if n, err := data.ReadAt(b, offset); n < len(b) {
		return fmt.Errorf("cannot read data at byte %d: %w", offset+int64(n), err)
	}
	return nil
}
