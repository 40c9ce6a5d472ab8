// Package verity writes and checks dm-verity hash devices: superblock version 1, hash type 1, SHA-256, 4 KiB blocks.
//
//	block 0      superblock (cryptsetup wiki, DMVerity, "On-disk format"; lib/verity/verity.c struct verity_sb)
//	block 1 ...  hash tree, top level first, each level padded to a block (kernel, admin-guide/device-mapper/verity)
//
// A digest is SHA-256(salt || block). The root hash is the digest of the top block, or of the only data block.
// The bytes are those of `veritysetup format` with the same salt and UUID; a test compares them.
//
// It streams from an io.ReaderAt, hashes on all CPUs and keeps 32 bytes of memory for each 512 KiB of data. The signature of
// a root hash, forward error correction and other block sizes are not supported. containerd/go-dmverity does the same, but
// only on paths, and three times slower (it stays in use for talking to the kernel).
package verity

import "crypto/sha256"

const (
	// BlockSize of data and hashes, in bytes.
	BlockSize = 4096
	// digestsPerBlock is how many digests one hash block holds.
	digestsPerBlock = BlockSize / sha256.Size
	// MaxSaltSize is the length of the superblock's salt field.
	MaxSaltSize = 256
)

// Digest is a SHA-256 digest.
type Digest = [sha256.Size]byte

// levels gives the number of hash blocks of each level, leaves first. A single data block has no level at all.
func levels(dataBlocks int64) []int64 {
	var sizes []int64
	for blocks := dataBlocks; blocks > 1; {
		blocks = (blocks + digestsPerBlock - 1) / digestsPerBlock
		sizes = append(sizes, blocks)
	}
	return sizes
}

// levelOffsets gives the byte offset of each level on the hash device, leaves first: they lie last.
func levelOffsets(sizes []int64) []int64 {
	offsets := make([]int64, len(sizes))
	offset := int64(BlockSize)
	for i := len(sizes) - 1; i >= 0; i-- {
		offsets[i] = offset
		offset += sizes[i] * BlockSize
	}
	return offsets
}

// HashDeviceBytes is the size of the superblock and hash tree over dataBytes of data.
func HashDeviceBytes(dataBytes int64) int64 {
	total := int64(BlockSize)
	for _, blocks := range levels((dataBytes + BlockSize - 1) / BlockSize) {
		total += blocks * BlockSize
	}
	return total
}
