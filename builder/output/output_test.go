package output

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"github.com/stele-os/stele/internal/gpt"
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

func TestArtifactOfSparseFile(t *testing.T) {
	p := sparseFile(t)
	a, err := ArtifactOf(context.Background(), "disk.raw", "1", p)
	if err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(p)
	sum := sha256.Sum256(content)
	if a != (Artifact{"disk.raw", "1", sparseBytes, hex.EncodeToString(sum[:])}) {
		t.Errorf("%+v, not %x", a, sum)
	}
}

func TestCopySparse(t *testing.T) {
	source := sparseFile(t)
	target := filepath.Join(t.TempDir(), "copy")
	if err := CopySparse(context.Background(), target, source); err != nil {
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
	if err := CopySparse(context.Background(), target, source+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestManifestRoundTrip(t *testing.T) {
	table := gpt.New(gpt.MustGUID("11111111-2222-8333-8444-555555555555"), 8<<20, 512)
	table.Append(gpt.Partition{Name: "var", Type: gpt.TypeVar, GUID: gpt.MustGUID("aaaaaaaa-0000-8000-8000-000000000003")}, 2<<20)
	m := &Manifest{Name: "base", Version: "1.0.0", RootHash: "ab", CommandLine: "ro", Toolchain: map[string]string{"go": "go1.26"},
		Artifacts: []Artifact{{Name: "uki.efi", Version: "1.0.0", SizeBytes: 5, SHA256: "cd"}}}
	m.SetTable(table)
	p := filepath.Join(t.TempDir(), ManifestFile)
	if _, err := ReadManifest(p); !errors.Is(err, ErrNoManifest) {
		t.Error(err)
	}
	if err := m.Write(p); err != nil {
		t.Fatal(err)
	}
	got, err := ReadManifest(p)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v, not %+v: %v", got, m, err)
	}
	if want := (Partition{1, "var", gpt.TypeVar.String(), "aaaaaaaa-0000-8000-8000-000000000003", 1 << 20, 2 << 20}); got.Partitions[0] != want {
		t.Errorf("%+v, not %+v", got.Partitions[0], want)
	}
	if _, ok := got.Artifact("uki.efi"); !ok {
		t.Error("uki.efi is missing")
	}
}
