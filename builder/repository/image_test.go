package repository

import (
	"os"
	"testing"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/repository/testimage"
)

// testImage is what a build leaves behind.
type testImage struct {
	version, arch string
	// root of trust; empty: none.
	root string
	// change spoils the files, after the manifest is made.
	change func(dir string)
	// edit spoils the manifest.
	edit func(m *output.Manifest)
}

func (i testImage) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := testimage.Write(t.Context(), dir, testimage.Image{Name: "demo", Version: i.version, Architecture: i.arch, Root: i.root, Edit: i.edit}); err != nil {
		t.Fatal(err)
	}
	if i.change != nil {
		i.change(dir)
	}
	return dir
}

func put(t testing.TB, path string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
