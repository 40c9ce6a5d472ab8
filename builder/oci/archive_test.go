package oci

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// FuzzUnpackLayout: whatever an archive holds, only files of an OCI layout are written, all below the directory.
func FuzzUnpackLayout(f *testing.F) {
	f.Add(layerOf(f, "oci-layout={}", "index.json={}", "blobs/sha256/ab=x", "blobs/sha256/../../x=y"))
	f.Add(layerOf(f, "../index.json={}", "/index.json={}", "blobs->/etc", "blobs/sha256/a=b"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "layout")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_, _ = unpackLayout(bytes.NewReader(archive), dir)
		if entries, _ := os.ReadDir(parent); len(entries) != 1 {
			t.Fatalf("something was written beside the directory: %v", entries)
		}
		_ = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, _ error) error {
			if !d.IsDir() && (!d.Type().IsRegular() || !inLayout(path)) {
				t.Errorf("%q does not belong to a layout", path)
			}
			return nil
		})
	})
}
