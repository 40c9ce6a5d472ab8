// Package bundle is the format in which one version of an image travels: UKI, hash tree and root in one file that a static web
// server can serve in ranges, and of which a machine takes only the chunks it lacks.
//
//	magic (16 bytes) | chunks of uki | chunks of verity | chunks of root | table
//
// Each part is cut into chunks of ChunkBytes (the last one of a part is shorter); each chunk is one zstd frame (RFC 8878) of its own. The
// table has one entry of EntryBytes for each chunk, in order: length of the frame (uint32, little-endian) and SHA-256 of the frame. Chunks
// lie without gaps, so the lengths are the offsets, too.
//
// Nothing in the file is trusted by itself: Info is signed (the "custom" field of a TUF target, TUF specification 1.0.33 §4.5), it holds
// the table's digest, the table those of all frames: no byte is decompressed before its digest was right. Chunk.Open is the only way to
// decompress, and it takes the digest with it.
//
// Invariants: the same parts give the same bytes, however many processors compress (TestSameInputsSameBytes); no frame makes a reader
// hold more than MaxFrameBytes and ChunkBytes (TestOpenRefusesBombs); everything but the table is read and written as a stream.
//
// Rejected: the seekable format of zstd, whose table is not covered by a digest and whose frames may be of any size; a digest of each chunk
// before compression, because the hash tree, which comes before the root, has one for every 4 KiB of it: that is what tells a machine
// which blocks it holds already.
package bundle

import "encoding/json"

const (
	// Magic begins every bundle. The number is the format's.
	Magic = "stele-bundle/1\n\x00"
	// ChunkBytes of a part before compression.
	ChunkBytes = 1 << 20
	// EntryBytes is the length of one entry of the table.
	EntryBytes = 4 + 32
	// Format in Info.
	Format = 1
)

// Info describes one bundle; it stands, under the key "stele", in the custom field of the bundle's TUF target.
type Info struct {
	// Format is 1. A machine refuses what it does not know.
	Format int `json:"format"`
	// Name of the image definition. A machine takes only bundles of its own image's name.
	Name string `json:"name"`
	// Version in the order of UAPI.10 (internal/bls.Compare).
	Version string `json:"version"`
	// Architecture is "x86_64" or "arm64".
	Architecture string `json:"architecture"`
	// SecurityVersion below which a machine takes nothing once it has committed this one. It is the UKI's own (SecurityVersionKey).
	SecurityVersion int64 `json:"securityVersion,omitempty"`
	// MinimumVersion that a machine must run to take this one; empty: any.
	MinimumVersion string `json:"minimumVersion,omitempty"`
	// RootHash of the verity tree, hex.
	RootHash string `json:"rootHash"`
	// BundleBytes is the length of the whole file.
	BundleBytes int64 `json:"bundleBytes"`
	UKI         Part  `json:"uki"`
	Verity      Part  `json:"verity"`
	Root        Part  `json:"root"`
	Table       Table `json:"table"`
}

// Part is one of the three files, before compression.
type Part struct {
	Bytes int64 `json:"bytes"`
	// SHA256 of the part, hex.
	SHA256 string `json:"sha256"`
}

// Table says where the chunk table lies in the file.
type Table struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
	// SHA256 of the table, hex.
	SHA256 string `json:"sha256"`
}

// Custom is the shape of the TUF target's custom field.
type Custom struct {
	Stele json.RawMessage `json:"stele"`
}
