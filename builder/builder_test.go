package builder

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/store"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStateUnchanged(t *testing.T) {
	dir := t.TempDir()
	outputs := []string{"a", "b"}
	for _, name := range append([]string{output.ManifestFile}, outputs...) {
		write(t, filepath.Join(dir, name), name)
	}
	if unchanged(dir, "k") {
		t.Error("unchanged without a state")
	}
	if err := writeState(dir, "k", outputs); err != nil {
		t.Fatal(err)
	}
	if !unchanged(dir, "k") || unchanged(dir, "other") {
		t.Error("the key does not decide")
	}
	moved := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "b"), moved, moved); err != nil {
		t.Fatal(err)
	}
	if unchanged(dir, "k") {
		t.Error("unchanged although a file was touched")
	}
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if unchanged(dir, "k") {
		t.Error("unchanged although a file is missing")
	}
}

func TestReadDocument(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "machine.yaml"), "kind: Machine\n")
	refused := errors.New("refused")
	var told v1alpha1.ImageInfo
	b := &build{
		definition: &definition.Definition{Name: "web", Document: path, Images: []definition.Image{{Name: "shop"}}},
		options: Options{CheckDocument: func(_ string, text []byte, image v1alpha1.ImageInfo) error {
			told = image
			if string(text) != "kind: Machine\n" {
				t.Errorf("judged %q", text)
			}
			return refused
		}},
	}
	if _, err := b.readDocument(); err != refused {
		t.Errorf("got %v", err)
	}
	if told.Name != "web" || len(told.BakedImages) != 1 || told.BakedImages[0].Name != "shop" {
		t.Errorf("judged for %+v", told)
	}
	b.definition.Document += ".missing"
	if _, err := b.readDocument(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	b.definition.Document = ""
	if text, err := b.readDocument(); text != nil || err != nil {
		t.Errorf("no document: %q, %v", text, err)
	}
}

const minimal = `apiVersion: stele/v1alpha1
kind: Image
name: demo
version: 1.2.3
architectures: [x86_64]
kernel: {image: vmlinuz}
`

// TestBuildRefuses holds that each bad input is one error that names it, and that nothing appears in the output directory.
func TestBuildRefuses(t *testing.T) {
	const lock = "signed: 2026-09-12T07:55:41Z\npackages: []\n"
	for _, c := range []struct {
		name, definition, lock string
		arch                   definition.Arch
		want, hint             string
	}{
		{"no definition", "", lock, definition.X8664, "demo.yaml: no such file", ""},
		{"bad definition", minimal + "x: 1\n", lock, definition.X8664, "demo.yaml:7:1: x: unknown field", ""},
		{"no lock", minimal, "", definition.X8664, "cannot read lock file", `run "stele lock"`},
		{"other architecture", minimal, lock, definition.ARM64, `cannot build "demo" for arm64`, "--arch"},
		{"no kernel", minimal, lock, definition.X8664, "cannot read kernel: ", ""},
		{"package not pinned", strings.Replace(minimal, "vmlinuz", "demo.yaml", 1), lock, definition.X8664, `cannot find package "systemd-boot-efi"`, `run "stele lock"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"images/demo.yaml": c.definition, "images/lock.yaml": c.lock} {
				if text != "" {
					write(t, filepath.Join(dir, name), text)
				}
			}
			write(t, filepath.Join(dir, "cmd/stele-agent/main.go"), "package main\n")
			write(t, filepath.Join(dir, "go.mod"), "module example.com/x\n")
			write(t, filepath.Join(dir, "go.sum"), "")
			_, err := Build(context.Background(), Options{
				Definition: filepath.Join(dir, "images/demo.yaml"), Arch: c.arch,
				Output: filepath.Join(dir, "out"), StoreDir: filepath.Join(dir, "store"), Progress: &bytes.Buffer{},
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var hinted interface{ Hint() string }
			if c.hint != "" && (!errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), c.hint)) {
				t.Errorf("%v lacks the hint %q", err, c.hint)
			}
			if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the output directory appeared: %v", err)
			}
		})
	}
}

func TestProgressWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, false, true, 3)
	p.step("first").doneArtifact(&store.Artifact{Key: "k1", Cached: true, Files: map[string]store.Digest{"f": {SHA256: "00", SizeBytes: 7}}})
	p.step("second").done("done", "detail")
	if err := p.step("third").fail(errors.New("broken")); err == nil {
		t.Error("the error is lost")
	}
	got := regexp.MustCompile(`\d+\.\d s`).ReplaceAllString(out.String(), "T")
	want := "[1/3] first         from the store, T\n      key k1\n      f sha256:00 (7 bytes)\n[2/3] second        done, T\n      detail\n[3/3] third         failed, T\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFindLock holds that a definition of one's own, anywhere in the checkout, is pinned as its base.
func TestFindLock(t *testing.T) {
	dir := t.TempDir()
	base, own := filepath.Join(dir, "images", "base.yaml"), filepath.Join(dir, "build", "own.yaml")
	write(t, filepath.Join(dir, "images", "lock.yaml"), "")
	for _, c := range []struct{ file, base, want string }{
		{base, "", filepath.Join(dir, "images", "lock.yaml")},
		{own, base, filepath.Join(dir, "images", "lock.yaml")},
		{own, "", filepath.Join(dir, "build", "lock.yaml")},
	} {
		if got := findLock(c.file, c.base); got != c.want {
			t.Errorf("%s on %s: got %s", c.file, c.base, got)
		}
	}
	beside := write(t, filepath.Join(dir, "build", "lock.yaml"), "")
	if got := findLock(own, base); got != beside {
		t.Errorf("a lock of its own: got %s", got)
	}
}
