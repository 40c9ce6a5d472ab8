package bundle

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// decoder is shared: it decompresses one frame at a time, which bounds its memory, and starts no goroutine.
var decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(ChunkBytes), zstd.WithDecoderMaxMemory(ChunkBytes), zstd.WithDecodeAllCapLimit(true))
})

// Open returns the chunk's bytes, in the memory of buffer where that has room for them. A frame with another digest is refused before
// anything in it is looked at; one that is not exactly of the chunk's length is an error, and never makes more than that of memory.
func (c Chunk) Open(frame, buffer []byte) ([]byte, error) {
	fail := func(format string, args ...any) ([]byte, error) {
		return nil, fmt.Errorf("cannot open chunk at %d of %s: "+format, append([]any{c.PartOffset, c.Part}, args...)...)
	}
	if sum := sha256.Sum256(frame); sum != c.SHA256 {
		return fail("its digest is %x instead of %x", sum, c.SHA256)
	}
	if c.Bytes <= 0 || c.Bytes > ChunkBytes {
		return fail("%d bytes are no length of a chunk", c.Bytes)
	}
	plain, err := decompress(frame, buffer, c.Bytes)
	if err != nil {
		return fail("%w", err)
	}
	return plain, nil
}

// decompress refuses a frame that does not say beforehand that it has this length.
func decompress(frame, buffer []byte, length int) ([]byte, error) {
	var header zstd.Header
	if err := header.Decode(frame); err != nil {
		return nil, err
	}
	if header.Skippable || header.DictionaryID != 0 || !header.HasFCS || header.FrameContentSize != uint64(length) {
		return nil, fmt.Errorf("it is no frame of %d bytes", length)
	}
	d, err := decoder()
	if err != nil {
		return nil, err
	}
	if cap(buffer) < length {
		buffer = make([]byte, 0, length)
	}
	plain, err := d.DecodeAll(frame, buffer[:0:length])
	if err != nil {
		return nil, err
	}
	if len(plain) != length {
		return nil, fmt.Errorf("it has %d bytes instead of %d", len(plain), length)
	}
	return plain, nil
}
