package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
)

// MaxFrameBytes is the longest frame of a chunk: incompressible data in raw blocks, with their headers (RFC 8878, 3.1.1).
const MaxFrameBytes = ChunkBytes + ChunkBytes>>8

// Index is a table that has been checked: the place and digest of every chunk.
type Index struct {
	info Info
	raw  []byte
}

// PartName names one of the three parts.
type PartName string

// The parts, in the order of the file.
const (
	UKI    PartName = "uki"
	Verity PartName = "verity"
	Root   PartName = "root"
)

// Part returns what the information says about a part.
func (i Info) Part(name PartName) Part {
	switch name {
	case UKI:
		return i.UKI
	case Verity:
		return i.Verity
	}
	return i.Root
}

// Chunk is a piece of a part, and its frame in the file.
type Chunk struct {
	Part PartName
	// PartOffset and Bytes say which piece of the part it is.
	PartOffset int64
	Bytes      int
	// FileOffset and FrameBytes say where its frame lies.
	FileOffset int64
	FrameBytes int
	// SHA256 of the frame.
	SHA256 [sha256.Size]byte
}

// ReadTable checks a bundle's table, Info.Table.Length bytes from Info.Table.Offset of the file, against its signed information.
// It keeps raw.
func ReadTable(raw []byte, info Info) (*Index, error) {
	if err := info.Validate(); err != nil {
		return nil, err
	}
	fail := func(format string, args ...any) (*Index, error) {
		return nil, fmt.Errorf("cannot read chunk table of bundle %q: "+format, append([]any{info.TargetName()}, args...)...)
	}
	if int64(len(raw)) != info.Table.Length {
		return fail("it has %d bytes instead of %d", len(raw), info.Table.Length)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != info.Table.SHA256 {
		return fail("its digest is %x instead of %s", sum, info.Table.SHA256)
	}
	end := int64(len(Magic))
	for at := 0; at < len(raw); at += EntryBytes {
		length := binary.LittleEndian.Uint32(raw[at:])
		if length == 0 || length > MaxFrameBytes {
			return fail("chunk %d has a frame of %d bytes", at/EntryBytes, length)
		}
		end += int64(length)
	}
	if end != info.Table.Offset {
		return fail("its chunks end at %d instead of %d", end, info.Table.Offset)
	}
	return &Index{info: info, raw: raw}, nil
}

// Len is the number of chunks.
func (x *Index) Len() int { return len(x.raw) / EntryBytes }

// Chunks yields all chunks in the order of the file: uki, verity, root.
func (x *Index) Chunks() iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		offset, entry := int64(len(Magic)), x.raw
		for _, part := range []PartName{UKI, Verity, Root} {
			total := x.info.Part(part).Bytes
			for at := int64(0); at < total; at += ChunkBytes {
				c := Chunk{
					Part: part, PartOffset: at, Bytes: int(min(ChunkBytes, total-at)),
					FileOffset: offset, FrameBytes: int(binary.LittleEndian.Uint32(entry)),
				}
				copy(c.SHA256[:], entry[4:])
				if !yield(c) {
					return
				}
				offset, entry = offset+int64(c.FrameBytes), entry[EntryBytes:]
			}
		}
	}
}

func appendEntry(table []byte, frame []byte) []byte {
	table = binary.LittleEndian.AppendUint32(table, uint32(len(frame)))
	sum := sha256.Sum256(frame)
	return append(table, sum[:]...)
}
