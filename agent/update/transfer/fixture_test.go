package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/verity"
)

var testSalt = bytes.Repeat([]byte{0x57}, 32)

// flat is a device in one piece of memory that notes what is written.
type flat struct {
	mu      sync.Mutex
	b       []byte
	written int64
	// fail, where not nil, decides about each write.
	fail func(at int64) error
}

func newFlat(size int64) *flat    { return &flat{b: make([]byte, size)} }
func (d *flat) Flush() error      { return nil }
func (d *flat) SizeBytes() int64  { return int64(len(d.b)) }
func (d *flat) SectorSize() int64 { return 512 }
func (d *flat) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(d.b).ReadAt(p, at)
}

func (d *flat) WriteAt(p []byte, at int64) (int, error) {
	if d.fail != nil {
		if err := d.fail(at); err != nil {
			return 0, err
		}
	}
	d.mu.Lock()
	d.written += int64(len(p))
	d.mu.Unlock()
	return copy(d.b[at:], p), nil
}

// image is one version with its bundle.
type image struct {
	uki, verity, root []byte
	file              []byte
	target            repository.Target
}

// rootOf makes content that compresses fast, the same for each block's seed.
func rootOf(seeds []uint64) []byte { return contentOf(seeds, 256) }

// contentOf makes blocks that begin with random bytes.
func contentOf(seeds []uint64, random int) []byte {
	root := make([]byte, len(seeds)*verity.BlockSize)
	for i, seed := range seeds {
		block := root[i*verity.BlockSize:][:verity.BlockSize]
		r := rand.New(rand.NewPCG(seed, 1))
		for at := 0; at < random; at += 8 {
			v := r.Uint64()
			for j := range 8 {
				block[at+j] = byte(v >> (8 * j))
			}
		}
		copy(block[random:], fmt.Sprintf("block %d", seed))
	}
	return root
}

// seeds of a root whose blocks all differ.
func seeds(blocks int) []uint64 {
	s := make([]uint64, blocks)
	for i := range s {
		s[i] = uint64(i) + 1
	}
	return s
}

func newImage(t testing.TB, version string, root []byte) *image {
	t.Helper()
	i := &image{root: root, uki: rootOf(seeds(700))[:2_500_001]}
	hashes := newFlat(verity.HashDeviceBytes(int64(len(root))))
	digest, err := verity.WriteTree(t.Context(), hashes, bytes.NewReader(root), int64(len(root)), testSalt)
	if err != nil {
		t.Fatal(err)
	}
	err = verity.WriteSuperblock(hashes, verity.Superblock{DataBlocks: int64(len(root)) / verity.BlockSize, Salt: testSalt})
	if err != nil {
		t.Fatal(err)
	}
	i.verity = hashes.b
	var file bytes.Buffer
	info := bundle.Info{Name: "web", Version: version, Architecture: "x86_64", RootHash: fmt.Sprintf("%x", digest)}
	info, err = bundle.Write(t.Context(), &file, bundle.Sources{UKI: sourceOf(i.uki), Verity: sourceOf(i.verity), Root: sourceOf(i.root)}, info)
	if err != nil {
		t.Fatal(err)
	}
	i.file, i.target = file.Bytes(), repository.Target{Path: "targets/web.bundle", Info: info}
	return i
}

func sourceOf(b []byte) bundle.Source {
	return bundle.Source{Reader: bytes.NewReader(b), Bytes: int64(len(b))}
}

// server is a source that counts, and can break.
type server struct {
	mu    sync.Mutex
	file  []byte
	opens int
	bytes int64
	// budget of bytes before it breaks; negative: none.
	budget int64
}

func (i *image) server() *server { return &server{file: i.file, budget: -1} }

func (s *server) String() string { return "the test's server" }

var errBroken = errors.New("the line is broken")

func (s *server) Open(_ context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens++
	if path != "targets/web.bundle" {
		return nil, repository.ErrNotFound
	}
	return io.NopCloser(&serverReader{s, io.NewSectionReader(bytes.NewReader(s.file), offset, length)}), nil
}

type serverReader struct {
	s *server
	r io.Reader
}

func (r *serverReader) Read(p []byte) (int, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.budget == 0 {
		return 0, errBroken
	}
	if r.s.budget > 0 {
		p = p[:min(int64(len(p)), r.s.budget)]
	}
	n, err := r.r.Read(p)
	r.s.bytes += int64(n)
	if r.s.budget > 0 {
		r.s.budget -= int64(n)
	}
	return n, err
}

// place is a slot in memory.
type place struct{ root, verity *flat }

func newPlace(i *image) place {
	return place{newFlat(int64(len(i.root)) + 64<<10), newFlat(int64(len(i.verity)) + 4096)}
}

func (p place) slot() Slot       { return Slot{p.root, p.verity} }
func (p place) running() Running { return Running{p.root, p.verity} }

// holding returns a place with an image in it.
func holding(i *image) place {
	p := newPlace(i)
	copy(p.root.b, i.root)
	copy(p.verity.b, i.verity)
	return p
}

// install does all of it once.
func install(ctx context.Context, src repository.Source, i *image, to Slot, from Running) (Progress, error) {
	var last Progress
	b, err := Open(ctx, src, i.target, func(p Progress) { last = p })
	if err != nil {
		return last, err
	}
	err = b.Write(ctx, to, from)
	return last, err
}

func (i *image) mustBeIn(t *testing.T, p place) {
	t.Helper()
	if !bytes.Equal(p.root.b[:len(i.root)], i.root) || !bytes.Equal(p.verity.b[:len(i.verity)], i.verity) {
		t.Fatal("the slot does not hold the image")
	}
	if err := Verify(t.Context(), p.root, p.verity, i.target.Info.RootHash); err != nil {
		t.Fatal(err)
	}
}
