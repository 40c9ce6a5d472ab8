package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/verity"
)

// synthetic is an image that exists nowhere: its root, its frames and its file are made when they are read.
type synthetic struct {
	uki, hashes []byte
	rootChunks  int64
	target      repository.Target
	table       []byte
}

// fill makes root bytes from a whole block on.
func fill(p []byte, at int64) {
	for i := 0; i < len(p); i += verity.BlockSize {
		block := p[i:min(i+verity.BlockSize, len(p))]
		clear(block)
		binary.LittleEndian.PutUint64(block, uint64(at+int64(i))+1)
	}
}

// rawBlocks of a frame, 128 KiB each (RFC 8878, 3.1.1.2.4).
const rawBlock = 128 << 10

// frameOf is a frame of raw blocks, in the memory of f: nothing is compressed, which is the most that can come over the line.
func frameOf(f, chunk []byte) []byte {
	f = binary.LittleEndian.AppendUint32(f[:0], 0xFD2FB528) // RFC 8878, 3.1.1: magic number
	f = append(f, 0xA0)                                     // 3.1.1.1.1: single segment, content size in four bytes
	f = binary.LittleEndian.AppendUint32(f, uint32(len(chunk)))
	for len(chunk) > 0 {
		n := min(len(chunk), rawBlock)
		header := uint32(n) << 3 // 3.1.1.2: last block, type raw, size
		if n == len(chunk) {
			header |= 1
		}
		f = append(f, byte(header), byte(header>>8), byte(header>>16))
		f = append(f, chunk[:n]...)
		chunk = chunk[n:]
	}
	return f
}

func newSynthetic(t testing.TB, rootBytes int64) *synthetic {
	t.Helper()
	s := &synthetic{uki: make([]byte, 1000), rootChunks: rootBytes / bundle.ChunkBytes}
	tree := newFlat(verity.HashDeviceBytes(rootBytes))
	digest, err := verity.WriteTree(t.Context(), tree, &syntheticRoot{size: rootBytes, whole: true}, rootBytes, testSalt)
	if err == nil {
		err = verity.WriteSuperblock(tree, verity.Superblock{DataBlocks: rootBytes / verity.BlockSize, Salt: testSalt})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.hashes = tree.b
	offset := int64(len(bundle.Magic))
	f, chunk := make([]byte, bundle.MaxFrameBytes), make([]byte, bundle.ChunkBytes)
	for n := range s.chunks() {
		f = s.frame(n, f, chunk)
		s.table = binary.LittleEndian.AppendUint32(s.table, uint32(len(f)))
		sum := sha256.Sum256(f)
		s.table = append(s.table, sum[:]...)
		offset += int64(len(f))
	}
	sum := func(b []byte) string { d := sha256.Sum256(b); return hex.EncodeToString(d[:]) }
	s.target = repository.Target{Path: "x", Info: bundle.Info{Format: 1, Name: "web", Version: "1.0.0", Architecture: "x86_64",
		RootHash: fmt.Sprintf("%x", digest), BundleBytes: offset + int64(len(s.table)), UKI: bundle.Part{Bytes: 1000, SHA256: sum(s.uki)},
		Verity: bundle.Part{Bytes: int64(len(s.hashes)), SHA256: sum(s.hashes)}, Root: bundle.Part{Bytes: rootBytes, SHA256: sum(nil)},
		Table: bundle.Table{Offset: offset, Length: int64(len(s.table)), SHA256: sum(s.table)}}}
	return s
}

func (s *synthetic) verityChunks() int64 {
	return int64(len(s.hashes)+bundle.ChunkBytes-1) / bundle.ChunkBytes
}
func (s *synthetic) chunks() int64 { return 1 + s.verityChunks() + s.rootChunks }

// frame is made in the memory of f, with chunk for what is in it.
func (s *synthetic) frame(n int64, f, chunk []byte) []byte {
	switch {
	case n == 0:
		return frameOf(f, s.uki)
	case n <= s.verityChunks():
		return frameOf(f, s.hashes[(n-1)<<20:min(n<<20, int64(len(s.hashes)))])
	}
	fill(chunk, (n-1-s.verityChunks())<<20)
	return frameOf(f, chunk)
}

func (s *synthetic) String() string { return "thin air" }

// Open finds the frame at which a range starts; all ranges of this package start at one.
func (s *synthetic) Open(_ context.Context, _ string, offset, length int64) (io.ReadCloser, error) {
	if offset == s.target.Info.Table.Offset {
		return io.NopCloser(bytes.NewReader(s.table)), nil
	}
	at := int64(len(bundle.Magic))
	for n := range s.chunks() {
		if at == offset {
			return io.NopCloser(io.LimitReader(&syntheticFile{s: s, next: n, frame: make([]byte, bundle.MaxFrameBytes), chunk: make([]byte, bundle.ChunkBytes)}, length)), nil
		}
		at += int64(binary.LittleEndian.Uint32(s.table[n*bundle.EntryBytes:]))
	}
	return nil, fmt.Errorf("no frame at %d", offset)
}

type syntheticFile struct {
	s    *synthetic
	next int64
	left []byte

	frame, chunk []byte
}

func (f *syntheticFile) Read(p []byte) (int, error) {
	if len(f.left) == 0 {
		f.left = f.s.frame(f.next, f.frame, f.chunk)
		f.next++
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// syntheticRoot is a device that only notes whether the right bytes were written. It samples the memory in use at each write.
type syntheticRoot struct {
	size  int64
	whole bool

	mu      sync.Mutex
	written int64
	wrong   int
	peak    uint64
}

func (d *syntheticRoot) Flush() error      { return nil }
func (d *syntheticRoot) SizeBytes() int64  { return d.size }
func (d *syntheticRoot) SectorSize() int64 { return 512 }

func (d *syntheticRoot) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if d.whole {
		fill(p, at)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.sample()
	}
	return len(p), nil
}

func (d *syntheticRoot) WriteAt(p []byte, at int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	want := make([]byte, verity.BlockSize)
	for i := 0; i < len(p); i += verity.BlockSize {
		if fill(want, at+int64(i)); !bytes.Equal(p[i:i+verity.BlockSize], want) {
			d.wrong++
		}
	}
	d.written += int64(len(p))
	d.sample()
	return len(p), nil
}

func (d *syntheticRoot) sample() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	d.peak = max(d.peak, m.HeapInuse+m.StackInuse)
}

// TestMemory: staging and verifying 256 MiB, none of which is compressed, takes less than 32 MiB of memory, the test's own included.
func TestMemory(t *testing.T) {
	const size = 256 << 20
	s := newSynthetic(t, size)
	root, tree := &syntheticRoot{size: size}, newFlat(int64(len(s.hashes)))
	runtime.GC()
	before := &syntheticRoot{}
	before.sample()
	if _, err := install(t.Context(), s, &image{target: s.target}, Slot{root, tree}, Running{&syntheticRoot{size: size}, bytes.NewReader(s.hashes)}); err != nil {
		t.Fatal(err)
	}
	if root.written != size || root.wrong > 0 {
		t.Errorf("%d bytes written, %d blocks are wrong", root.written, root.wrong)
	}
	root.whole = true
	if err := Verify(t.Context(), root, tree, s.target.Info.RootHash); err != nil {
		t.Error(err)
	}
	used := int64(root.peak) - int64(before.peak)
	t.Logf("at most %.1f MiB in use above the %.1f before", float64(used)/(1<<20), float64(before.peak)/(1<<20))
	if used > 32<<20 {
		t.Errorf("%d bytes of memory in use", used)
	}
}
