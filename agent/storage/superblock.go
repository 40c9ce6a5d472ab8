package storage

import (
	"encoding/binary"
	"hash/crc32"
)

// The ext4 superblock lies 1024 bytes into the file system and is 1024 bytes long (kernel, Documentation/filesystems/ext4/super.rst, "The Super Block").
const (
	superblockOffset = 1024
	superblockSize   = 1024
	superblockMagic  = 0xef53 // s_magic
)

// superblock is what the decision needs of it.
type superblock struct {
	blocks    uint64 // s_blocks_count_lo, _hi
	blockSize int64  // 1024 << s_log_block_size
	// mounted: it was mounted writable at least once (s_mnt_count, s_mtime).
	mounted bool
}

func (s superblock) sizeBytes() int64 { return int64(s.blocks) * s.blockSize }

// decodeSuperblock reads the first 2048 bytes of a partition. It returns false where there is no ext4 superblock, or a damaged one.
func decodeSuperblock(head []byte) (superblock, bool) {
	if len(head) < superblockOffset+superblockSize {
		return superblock{}, false
	}
	b := head[superblockOffset : superblockOffset+superblockSize]
	le := binary.LittleEndian
	const (
		featureMetadataChecksum = 0x400 // RO_COMPAT_METADATA_CSUM
		feature64Bit            = 0x80  // INCOMPAT_64BIT
	)
	if le.Uint16(b[0x38:]) != superblockMagic {
		return superblock{}, false
	}
	// s_checksum at 0x3fc is crc32c(~0, everything before it), without the final inversion.
	if le.Uint32(b[0x64:])&featureMetadataChecksum != 0 && ^crc32.Checksum(b[:0x3fc], crc32.MakeTable(crc32.Castagnoli)) != le.Uint32(b[0x3fc:]) {
		return superblock{}, false
	}
	logBlock := le.Uint32(b[0x18:])
	if logBlock > 6 {
		return superblock{}, false
	}
	s := superblock{
		blocks:    uint64(le.Uint32(b[0x04:])),
		blockSize: 1024 << logBlock,
		mounted:   le.Uint16(b[0x34:]) != 0 || le.Uint32(b[0x2c:]) != 0,
	}
	if le.Uint32(b[0x60:])&feature64Bit != 0 {
		s.blocks |= uint64(le.Uint32(b[0x150:])) << 32
	}
	if s.blocks == 0 || s.blocks > 1<<48 {
		return superblock{}, false
	}
	return s, true
}

// backupSuperblocks are the offsets of possible backups of the superblock: in groups 1 and the powers of 3, 5 and 7 (super.rst,
// sparse_super), as far as they lie in sizeBytes, for the two geometries that mkfs.ext4 makes: blocks of 4 KiB, and of 1 KiB on small disks.
func backupSuperblocks(sizeBytes int64) []int64 {
	var offsets []int64
	for _, g := range []struct{ groupBytes, firstBytes int64 }{{32768 * 4096, 0}, {8192 * 1024, 1024}} {
		add := func(group int64) bool {
			at := group*g.groupBytes + g.firstBytes
			if at+sampleBytes > sizeBytes {
				return false
			}
			offsets = append(offsets, at)
			return true
		}
		add(1)
		for _, base := range []int64{3, 5, 7} {
			for group := base; add(group); group *= base {
			}
		}
	}
	return offsets
}
