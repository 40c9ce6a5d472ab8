package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	for _, content := range []string{"first", "second"} {
		if err := Write(path, 0, func(f *os.File) error { _, err := f.WriteString(content); return err }); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != content {
			t.Errorf("%q, not %q", got, content)
		}
	}
	onlyFile(t, path)
}

func TestWriteLeavesTheOldFileOnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := Write(path, 0, func(f *os.File) error { f.WriteString("half"); return boom })
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("%q is left", got)
	}
	onlyFile(t, path)
}

func TestFullDiskNamesFileAndSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	err := Write(path, 4711, func(*os.File) error { return full })
	var hinted interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "it needs 4711 bytes") || !errors.As(err, &hinted) {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("something is left under the final name")
	}
}

func onlyFile(t *testing.T, path string) {
	t.Helper()
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files are left beside %q", len(entries)-1, path)
	}
}
