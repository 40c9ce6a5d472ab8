// Package transfer brings a bundle into a slot: hash tree and root onto two block devices, the UKI out of a reader.
//
//	          ┌ table, against the signed information            (Open)
//	Source ───┼ verity ─> slot; SHA-256, then level by level against the root hash
//	          ├ root ─┬─ chunk begins in the slot already ─────┐
//	          │       ├─ block is in the running slot, anywhere ┼─> slot       (Write)
//	          │       └─ fetch ─> digest ─> decompress ─────────┘
//	          └ uki ─> digest ─> decompress ─> reader, SHA-256 at its end       (UKI)
//
// No byte is decompressed before the digest of its frame was right, and none is written that neither the table nor the tree vouches for. What
// is in the slot is found out by its content, against the leaves of the tree: there is no record of progress that a power cut could
// falsify, and a second call goes on where the first one ended, whatever ended it (TestResume).
//
// Memory is a fixed number of buffers of one chunk, the table (36 bytes for each MiB of the image) and the index of the running slot (8 bytes
// for each of at most 1 Mi blocks): TestMemory. Missing chunks that follow each other are one ranged request. A chunk of which one block is
// missing is fetched whole: frames of single blocks would compress badly.
//
// It does not flush, and what it has written is not read back: whoever owns the order of writes does both (Verify reads everything).
package transfer
