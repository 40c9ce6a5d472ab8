package block

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestMemoryIsLikeBytes compares a tree of clones with plain slices.
func TestMemoryIsLikeBytes(t *testing.T) {
	const size = 5*pageBytes + 100
	random := rand.New(rand.NewPCG(1, 2))
	memories, plain := []*Memory{NewMemory(size, 512)}, [][]byte{make([]byte, size)}
	for range 400 {
		i := random.IntN(len(memories))
		if random.IntN(4) == 0 {
			memories, plain = append(memories, memories[i].Clone()), append(plain, bytes.Clone(plain[i]))
			continue
		}
		at := random.IntN(size)
		p := make([]byte, random.IntN(min(size-at, 2*pageBytes)))
		for j := range p {
			p[j] = byte(random.Uint32())
		}
		if n, err := memories[i].WriteAt(p, int64(at)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		copy(plain[i][at:], p)
	}
	for i, m := range memories {
		got := make([]byte, size+1)
		if n, err := m.ReadAt(got, 0); n != size || !errors.Is(err, io.EOF) || !bytes.Equal(got[:n], plain[i]) {
			t.Errorf("clone %d differs, %d bytes, %v", i, n, err)
		}
		if d := m.top.depth(); d > maxLayers+2 {
			t.Errorf("clone %d has %d layers", i, d)
		}
	}
}

func TestBounds(t *testing.T) {
	m := NewMemory(1024, 512)
	for _, from := range []int64{-1, 1025} {
		if _, err := m.ReadAt(make([]byte, 1), from); !errors.Is(err, ErrOutside) {
			t.Errorf("read at %d: %v", from, err)
		}
		if _, err := m.WriteAt(make([]byte, 1), from); !errors.Is(err, ErrOutside) {
			t.Errorf("write at %d: %v", from, err)
		}
	}
	for _, part := range [][2]int64{{-1, 1}, {0, 1025}, {1024, 1}, {1, 1<<63 - 1}, {1, -1}} {
		if _, err := Section(m, part[0], part[1]); !errors.Is(err, ErrOutside) {
			t.Errorf("section %v: %v", part, err)
		}
	}
	s, err := Section(m, 512, 256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteAt([]byte("abc"), 254); !errors.Is(err, ErrOutside) {
		t.Errorf("a section let a write out: %v", err)
	}
	if _, err := s.WriteAt([]byte("ab"), 254); err != nil {
		t.Error(err)
	}
	got := make([]byte, 4)
	if n, err := s.ReadAt(got, 254); n != 2 || err != io.EOF || string(got[:2]) != "ab" {
		t.Errorf("%d %v %q", n, err, got)
	}
	if n, err := m.ReadAt(got, 766); n != 4 || err != nil || string(got) != "ab\x00\x00" {
		t.Errorf("%d %v %q", n, err, got)
	}
}

// TestFile reads a regular file from memory and around it, by both ways.
func TestFile(t *testing.T) {
	const size = 3<<20 + 512
	path := filepath.Join(t.TempDir(), "disk")
	want := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(want)
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.SizeBytes() != size || f.SectorSize() != 512 {
		t.Errorf("%d bytes, sectors of %d", f.SizeBytes(), f.SectorSize())
	}
	if _, err := f.WriteAt([]byte("xy"), size-1); !errors.Is(err, ErrOutside) {
		t.Errorf("the file would grow: %v", err)
	}
	copy(want[1000:], "changed")
	if _, err := f.WriteAt([]byte("changed"), 1000); err != nil {
		t.Fatal(err)
	}
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	section, err := Section(f, 512, size-512)
	if err != nil {
		t.Fatal(err)
	}
	for name, direct := range map[string]*os.File{"direct": f.direct, "dropped pages": nil} {
		f.direct = direct
		for _, part := range [][2]int{{0, size}, {999, 9}, {511, 4098}, {4096, 4096}, {size - 1, 1}, {size - 5000, 5000}, {17, 2 << 20}} {
			got := make([]byte, part[1])
			if n, err := Medium(f).ReadAt(got, int64(part[0])); n != len(got) || err != nil || !bytes.Equal(got, want[part[0]:][:part[1]]) {
				t.Errorf("%s: %v: %d bytes, %v", name, part, n, err)
			}
		}
		for _, d := range []Device{f, section} {
			got := make([]byte, 100)
			if n, err := Medium(d).ReadAt(got, d.SizeBytes()-40); n != 40 || !errors.Is(err, io.EOF) || !bytes.Equal(got[:n], want[size-40:]) {
				t.Errorf("%s: over the end: %d bytes, %v", name, n, err)
			}
			if n, err := Medium(d).ReadAt(got, d.SizeBytes()); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%s: behind the end: %d bytes, %v", name, n, err)
			}
		}
	}
}

// TestFileWritesBothWays: small writes through the page cache and large ones around it, over each other, are read alike both ways.
func TestFileWritesBothWays(t *testing.T) {
	const size = 2 << 20
	path := filepath.Join(t.TempDir(), "disk")
	want := make([]byte, size)
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	random := rand.New(rand.NewPCG(3, 4))
	large, got := aligned(1<<20), aligned(size)
	for round := range 60 {
		p := large[:directWriteBytes+random.IntN(15)*directAlignment]
		at := random.IntN((size-len(p))/directAlignment) * directAlignment
		if round%2 == 0 {
			p = large[:1+random.IntN(10_000)]
			at = random.IntN(size - len(p))
		}
		for i := range p {
			p[i] = byte(round + i%7)
		}
		copy(want[at:], p)
		if n, err := f.WriteAt(p, int64(at)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		for name, d := range map[string]Device{"memory": f, "medium": Medium(f)} {
			if n, err := d.ReadAt(got, 0); n != size || err != nil || !bytes.Equal(got, want) {
				t.Fatalf("round %d, read from %s: %d bytes, %v", round, name, n, err)
			}
		}
	}
}

func TestOpenFileRefuses(t *testing.T) {
	if _, err := OpenFile(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := OpenFile(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
}

func BenchmarkReadMedium(b *testing.B) {
	path := filepath.Join(b.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, 64<<20), 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Flush(); err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 1<<20)
	for name, direct := range map[string]*os.File{"direct": f.direct, "dropped": nil} {
		b.Run(name, func(b *testing.B) {
			f.direct = direct
			b.SetBytes(64 << 20)
			for b.Loop() {
				for at := int64(0); at < 64<<20; at += int64(len(p)) {
					if _, err := f.ReadMedium(p, at); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
