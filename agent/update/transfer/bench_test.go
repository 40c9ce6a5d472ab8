package transfer

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
)

// BenchmarkStage is all of it: fetch, decompress, write, and verify what was written. BenchmarkCopy is the measure beside it: copying and
// hashing the same bytes.
func BenchmarkStage(b *testing.B) {
	i := newImage(b, "1.1.0", contentOf(seeds(64*256), 2048))
	p := newPlace(i)
	b.SetBytes(int64(len(i.root)))
	for b.Loop() {
		clear(p.root.b)
		clear(p.verity.b)
		if _, err := install(b.Context(), i.server(), i, p.slot(), Running{}); err != nil {
			b.Fatal(err)
		}
		if err := Verify(b.Context(), p.root, p.verity, i.target.Info.RootHash); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCopy(b *testing.B) {
	root := contentOf(seeds(64*256), 2048)
	d := newFlat(int64(len(root)))
	b.SetBytes(int64(len(root)))
	for b.Loop() {
		clear(d.b)
		h := sha256.New()
		w := io.NewOffsetWriter(d, 0)
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(w, h)}, struct{ io.Reader }{bytes.NewReader(root)}, make([]byte, 1<<20)); err != nil {
			b.Fatal(err)
		}
		_ = fmt.Sprintf("%x", h.Sum(nil))
	}
}

// BenchmarkResume looks through a slot that is whole already.
func BenchmarkResume(b *testing.B) {
	i := newImage(b, "1.1.0", contentOf(seeds(64*256), 2048))
	p := holding(i)
	b.SetBytes(int64(len(i.root)))
	for b.Loop() {
		if _, err := install(b.Context(), i.server(), i, p.slot(), Running{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	i := newImage(b, "1.1.0", contentOf(seeds(64*256), 2048))
	p := holding(i)
	b.SetBytes(int64(len(i.root)))
	for b.Loop() {
		if err := Verify(b.Context(), p.root, p.verity, i.target.Info.RootHash); err != nil {
			b.Fatal(err)
		}
	}
}
