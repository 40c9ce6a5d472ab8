//go:build qemu

package build

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/builder"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/store"
)

// TestSameInputsSameImage builds the demo image, for the architecture of the image under test, twice, each time from another checkout, into another directory, with an empty
// cache except for the kernel and the packages, and compares every output.
func TestSameInputsSameImage(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	_, manifest := image(t)
	arch := definition.Arch(manifest.Architecture)
	first := buildIn(t, checkout(t, root), arch)
	second := buildIn(t, checkout(t, root), arch)
	for _, a := range first.Artifacts {
		if b, _ := second.Artifact(a.Name); a != b {
			t.Errorf("%s differs: %+v, %+v", a.Name, a, b)
		}
	}
	if first.RootHash != second.RootHash {
		t.Errorf("root hashes differ: %s, %s", first.RootHash, second.RootHash)
	}
}

// checkout copies the tracked files of the repository to a fresh directory.
func checkout(t *testing.T, root string) string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatalf("cannot list the repository's files: %v", err)
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		copyFile(t, filepath.Join(root, name), filepath.Join(dir, name))
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if os.IsNotExist(err) {
		return // removed, but not committed yet
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sourceBytes is less than the kernel's source, which nobody needs who has the kernel.
const sourceBytes = 100 << 20

// seedStore makes a store with the kernels and packages of the user's.
func seedStore(t *testing.T) string {
	t.Helper()
	from, err := store.DefaultDir(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, pattern := range []string{"artifacts/kernel-*/*", "artifacts/kernel-*/.stele-artifact.json", "blobs/sha256/*"} {
		paths, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name, err := filepath.Rel(from, path)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Size() > sourceBytes {
				continue
			}
			copyFile(t, path, filepath.Join(dir, name))
		}
	}
	return dir
}

func buildIn(t *testing.T, dir string, arch definition.Arch) *output.Manifest {
	t.Helper()
	var log bytes.Buffer
	m, err := builder.Build(context.Background(), builder.Options{
		Definition: filepath.Join(dir, "images/demo.yaml"), Arch: arch,
		Output: filepath.Join(t.TempDir(), "out"), StoreDir: seedStore(t), Mirror: os.Getenv("DEBIAN_MIRROR"), Progress: &log,
	})
	t.Log(log.String())
	if err != nil {
		t.Fatal(err)
	}
	return m
}
