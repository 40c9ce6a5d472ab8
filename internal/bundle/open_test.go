package bundle

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func chunkOf(frame []byte, length int) Chunk {
	return Chunk{Part: Root, Bytes: length, FrameBytes: len(frame), SHA256: sha256.Sum256(frame)}
}

func encode(t testing.TB, plain []byte, options ...zstd.EOption) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, append([]zstd.EOption{zstd.WithEncoderConcurrency(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e.EncodeAll(plain, nil)
}

// TestOpenRefusesBombs holds that a frame with the right digest cannot make more memory than its chunk has bytes.
func TestOpenRefusesBombs(t *testing.T) {
	good := encode(t, make([]byte, 4096), zstd.WithSingleSegment(true))
	// RFC 8878, 3.1.1.1: single segment, 1 byte of content size that says 200; an RLE block of 128 KiB.
	liar := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x20, 200, 0x03, 0x00, 0x10, 'x'}
	// No single segment, a window of 8 GiB, 8 bytes of content size.
	window := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xc0, 23 << 3, 200, 0, 0, 0, 0, 0, 0, 0, 0x43, 0x06, 0x00, 'x'}
	for _, c := range []struct {
		name  string
		frame []byte
		bytes int
		want  string
	}{
		{"larger than the chunk", encode(t, make([]byte, 64<<20), zstd.WithSingleSegment(true)), ChunkBytes, "it is no frame of 1048576 bytes"},
		{"smaller than the chunk", good, 8192, "it is no frame of 8192 bytes"},
		{"more content than its header says", liar, 200, "size"},
		{"window", window, 200, "window"},
		{"behind the frame comes another", append(bytes.Clone(good), good...), 4096, "limit"},
		{"skippable frame", []byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 1, "it is no frame"},
		{"no frame", []byte("<html>"), 1, "magic"},
		{"nothing", nil, 1, "EOF"},
		{"cut off", good[:len(good)-1], 4096, "EOF"},
		{"chunk too long", good, ChunkBytes + 1, "no length of a chunk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, err := chunkOf(c.frame, c.bytes).Open(c.frame, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d bytes, %v; want %q", len(plain), err, c.want)
			}
		})
	}
}

// TestOpenLooksAtTheDigestFirst gives a frame that is right but not the one asked for.
func TestOpenLooksAtTheDigestFirst(t *testing.T) {
	frame := encode(t, make([]byte, 4096), zstd.WithSingleSegment(true))
	c := chunkOf(frame, 4096)
	c.SHA256[0]++
	if _, err := c.Open(frame, nil); err == nil || !strings.Contains(err.Error(), "its digest is") {
		t.Errorf("got %v", err)
	}
}

func TestOpenUsesTheBuffer(t *testing.T) {
	frame := encode(t, bytes.Repeat([]byte("x"), 4096), zstd.WithSingleSegment(true))
	buffer := make([]byte, 0, ChunkBytes)
	plain, err := chunkOf(frame, 4096).Open(frame, buffer)
	if err != nil || &plain[0] != &buffer[:1][0] {
		t.Errorf("another buffer, or %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(encode(f, []byte("content"), zstd.WithSingleSegment(true)), 7)
	f.Add(encode(f, make([]byte, 70000), zstd.WithSingleSegment(true)), 70000)
	f.Fuzz(func(t *testing.T, frame []byte, length int) {
		buffer := make([]byte, 0, 1<<17)
		plain, err := chunkOf(frame, length).Open(frame, buffer)
		if err == nil && len(plain) != length {
			t.Errorf("%d bytes instead of %d", len(plain), length)
		}
	})
}
