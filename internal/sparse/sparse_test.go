package sparse

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const sparseBytes = 10<<20 + 7

// sparseFile has holes before, between and behind its data.
func sparseFile(t *testing.T) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "sparse")
	f, err := os.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Truncate(sparseBytes)
	f.WriteAt([]byte("one"), 1<<20)
	f.WriteAt(bytes.Repeat([]byte("two"), 100_000), 5<<20)
	return p
}

func TestWriteTo(t *testing.T) {
	path := sparseFile(t)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got bytes.Buffer
	if err := f.WriteTo(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(path)
	if !bytes.Equal(got.Bytes(), want) || f.SizeBytes != sparseBytes {
		t.Errorf("%d bytes, which differ from the file's %d", got.Len(), len(want))
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.WriteTo(ended, &got); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCopy(t *testing.T) {
	source := sparseFile(t)
	target := filepath.Join(t.TempDir(), "copy")
	if err := Copy(context.Background(), target, source); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(source)
	if got, _ := os.ReadFile(target); !bytes.Equal(got, want) {
		t.Error("the copy differs")
	}
	var a, b syscall.Stat_t
	syscall.Stat(source, &a)
	syscall.Stat(target, &b)
	if b.Blocks > a.Blocks+64 {
		t.Errorf("the copy takes %d blocks, the source %d", b.Blocks, a.Blocks)
	}
	if err := Copy(context.Background(), target, source+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
