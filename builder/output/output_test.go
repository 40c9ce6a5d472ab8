package output

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stele-os/stele/internal/gpt"
)

func TestArtifactOf(t *testing.T) {
	p := filepath.Join(t.TempDir(), "uki.efi")
	if err := os.WriteFile(p, []byte("uki"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := ArtifactOf(context.Background(), "uki.efi", "1", p)
	if want := (Artifact{"uki.efi", "1", 3, fmt.Sprintf("%x", sha256.Sum256([]byte("uki")))}); err != nil || a != want {
		t.Errorf("%+v, not %+v: %v", a, want, err)
	}
	if _, err := ArtifactOf(context.Background(), "uki.efi", "1", p+"x"); !errors.Is(err, os.ErrNotExist) {
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
