package node

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

func testRepository(t *testing.T) (files map[string][]byte, directory, archive string) {
	t.Helper()
	files = map[string][]byte{
		"metadata/1.root.json":                              []byte(`{"signed":{}}`),
		"metadata/empty.json":                               {},
		"targets/abc.one.bundle":                            bytes.Repeat([]byte("0123456789abcdef"), 40_000),
		"targets/" + strings.Repeat("long", 40) + ".bundle": []byte("a pax header comes before this one"),
	}
	directory = t.TempDir()
	archive = filepath.Join(t.TempDir(), "one.tar")
	out, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := tar.NewWriter(out)
	for name, data := range files {
		path := filepath.Join(directory, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644),
			w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX})); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return files, directory, archive
}

// TestAnswer serves ranges from both forms of a repository.
func TestAnswer(t *testing.T) {
	files, directory, archive := testRepository(t)
	for _, from := range []string{directory, archive} {
		r, err := OpenRepository(from)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for name, want := range files {
			for _, span := range [][2]int64{{0, -1}, {0, 5}, {3, 600_000}, {int64(len(want)), -1}, {int64(len(want)) + 9, 4}} {
				var got []byte
				ended := false
				err := answer(&nodev1.Need{Id: 7, Path: name, Offset: span[0], Length: span[1]}, r, func(m *nodev1.PushUpdateRequest) error {
					if m.Need != 7 || m.NotFound || ended || len(m.Data) > messageBytes {
						t.Errorf("%s: message %d bytes, need %d, ended %v", name, len(m.Data), m.Need, ended)
					}
					got, ended = append(got, m.Data...), m.End
					return nil
				})
				expected := want[min(span[0], int64(len(want))):]
				if span[1] >= 0 {
					expected = expected[:min(span[1], int64(len(expected)))]
				}
				if err != nil || !ended || !bytes.Equal(got, expected) {
					t.Errorf("%s from %d, %d bytes: got %d bytes, want %d, %v", name, span[0], span[1], len(got), len(expected), err)
				}
			}
		}
	}
}

func TestAnswerRefuses(t *testing.T) {
	_, directory, archive := testRepository(t)
	secret := filepath.Join(filepath.Dir(directory), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(directory, "targets", "link")); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{directory, archive} {
		r, err := OpenRepository(from)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, name := range []string{"../secret", "/etc/passwd", "targets/link", "targets", "", "targets/../../secret"} {
			reader, err := r.open(name, 0, -1)
			if err == nil {
				data, _ := io.ReadAll(reader)
				t.Errorf("%s: %q was served: %q", from, name, data)
			}
		}
		var told bool
		err = answer(&nodev1.Need{Id: 1, Path: "metadata/2.root.json", Length: -1}, r, func(m *nodev1.PushUpdateRequest) error {
			told = m.NotFound && m.End
			return nil
		})
		if err != nil || !told {
			t.Errorf("a missing file must be told to the machine: %v", err)
		}
	}
}

func TestOpenRepositoryRefuses(t *testing.T) {
	dir := t.TempDir()
	nonsense := filepath.Join(dir, "nonsense")
	if err := os.WriteFile(nonsense, bytes.Repeat([]byte("nonsense"), 500), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, nonsense, filepath.Join(dir, "missing")} {
		if _, err := OpenRepository(name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if _, err := OpenRepository(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
