package slotstate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	for slot, want := range map[string]string{"": Root + "/a", "a": Root + "/a", "b": Root + "/b"} {
		if got := Dir(slot); got != want {
			t.Errorf("%q: %s", slot, got)
		}
	}
	for _, err := range []error{Copy("a", "../x"), Copy("c", "a"), Copy("", "a"), Store{}.Prepare("..", ""), Store{}.Write("x", "f", nil)} {
		if err == nil {
			t.Error("taken")
		}
	}
}

func TestReadWriteRemove(t *testing.T) {
	s := Store{Root: filepath.Join(t.TempDir(), "slots")}
	if _, err := s.Read("a", "document/api", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, data := range []string{"first", "second"} {
		if err := s.Write("a", "document/api", []byte(data)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read("a", "document/api", 10); err != nil || string(got) != data {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := s.Read("a", "document/api", 5); err == nil {
		t.Error("larger than the limit")
	}
	for path, want := range map[string]fs.FileMode{"": 0o700, "a": 0o700, "a/document": 0o700, "a/document/api": 0o600} {
		if info, err := os.Stat(filepath.Join(s.Root, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v", path, info.Mode(), err)
		}
	}
	for range 2 {
		if err := s.Remove("a", "document/api"); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(s.Dir("a"), "document")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Two later versions, each with a schema of its own: what one slot's version makes of its copy is not seen by the other slot's.
func TestMigrateLeavesTheOtherSlot(t *testing.T) {
	root := layOut(t, map[string]Files{"slots/a": {"document/last-good": []byte("one"), "x": []byte("kept")}})
	first := Store{Root: filepath.Join(root, "slots")}
	second, third := first, first
	second.migrations = []Migration{rename("x", "y")}
	third.migrations = []Migration{rename("x", "y"), func(f Files) (Files, error) {
		f["y"] = bytes.ToUpper(f["y"])
		return f, nil
	}}
	steps := []struct {
		name string
		do   func() error
		slot string
		want Files
	}{
		{"version 1 in a", func() error { return first.Prepare("a", "") }, "a", Files{"schema": []byte("1\n"), "document/last-good": []byte("one"), "x": []byte("kept")}},
		{"apply of version 2", func() error { return first.Copy("a", "b") }, "b", Files{"schema": []byte("1\n"), "document/last-good": []byte("one"), "x": []byte("kept")}},
		{"version 2 in b", func() error { return second.Prepare("b", "") }, "b", Files{"schema": []byte("2\n"), "document/last-good": []byte("one"), "y": []byte("kept")}},
		{"a document of version 2", func() error { return second.Write("b", "document/last-good", []byte("two")) }, "b", Files{"schema": []byte("2\n"), "document/last-good": []byte("two"), "y": []byte("kept")}},
		{"rolled back: version 1 again", func() error { return first.Prepare("a", "") }, "a", Files{"schema": []byte("1\n"), "document/last-good": []byte("one"), "x": []byte("kept")}},
		{"apply of version 3, straight from 1", func() error { return first.Copy("a", "b") }, "b", Files{"schema": []byte("1\n"), "document/last-good": []byte("one"), "x": []byte("kept")}},
		{"version 3 in b", func() error { return third.Prepare("b", "") }, "b", Files{"schema": []byte("3\n"), "document/last-good": []byte("one"), "y": []byte("KEPT")}},
		{"version 3 once more", func() error { return third.Prepare("b", "") }, "b", Files{"schema": []byte("3\n"), "document/last-good": []byte("one"), "y": []byte("KEPT")}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := first.Dir(s.slot); !same(t, got, s.want) {
			t.Errorf("%s: %q", s.name, content(t, got))
		}
	}
	if err := first.Prepare("b", ""); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "its schema is 3, this version knows 1") {
		t.Errorf("version 1 with the state of version 3: %v", err)
	}
	if !same(t, first.Dir("b"), steps[len(steps)-1].want) {
		t.Error("a state that cannot be used was changed")
	}
}

func TestTakeOverOnce(t *testing.T) {
	root := layOut(t, map[string]Files{"document": {"last-good": []byte("old"), "last-good.new": []byte("half")}})
	s, legacy := Store{Root: filepath.Join(root, "slots")}, filepath.Join(root, "document")
	if err := s.Prepare("", legacy); err != nil || !same(t, s.Dir("a"), Files{"schema": []byte("1\n"), "document/last-good": []byte("old")}) {
		t.Fatalf("%v, %q", err, content(t, s.Dir("a")))
	}
	if err := s.Remove("a", "document/last-good"); err != nil {
		t.Fatal(err)
	}
	for _, slot := range []string{"a", "b"} {
		if err := s.Prepare(slot, legacy); err != nil || !same(t, s.Dir(slot), Files{"schema": []byte("1\n")}) {
			t.Errorf("slot %s: %v, %q", slot, err, content(t, s.Dir(slot)))
		}
	}
}

func TestBounds(t *testing.T) {
	many := Files{}
	for i := range maxFiles + 1 {
		many[fmt.Sprint(i)] = nil
	}
	large := Files{"x": make([]byte, maxBytes+1)}
	for name, files := range map[string]Files{"many": many, "large": large} {
		root := layOut(t, map[string]Files{"slots/a": files, "slots/b": {"x": []byte("kept")}})
		s := Store{Root: filepath.Join(root, "slots")}
		if err := s.Copy("a", "b"); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
		if !same(t, s.Dir("b"), Files{"x": []byte("kept")}) {
			t.Errorf("%s: slot b was changed", name)
		}
		if err := s.replace("b", files); err == nil {
			t.Errorf("%s: a migration may write it", name)
		}
	}
	root := layOut(t, map[string]Files{"slots/a": {"x": nil}})
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "slots/a/link")); err != nil {
		t.Fatal(err)
	}
	if err := (Store{Root: filepath.Join(root, "slots")}).Copy("a", "b"); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Error(err)
	}
	for _, path := range []string{"../x", "/x", "a/../../x", ".x", "a/.b/c", ""} {
		if (Files{path: nil}).check() == nil {
			t.Errorf("%q is taken", path)
		}
	}
}

func TestPrepareRemovesWhatACutLeft(t *testing.T) {
	root := layOut(t, map[string]Files{"slots/.a.new": {"x": nil}, "slots/.b.new": {"x": nil}})
	s := Store{Root: filepath.Join(root, "slots")}
	if err := s.Prepare("a", ""); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.Root); len(left) != 1 || left[0].Name() != "a" {
		t.Errorf("left: %v", left)
	}
}

// FuzzSchema: whatever the schema file holds, it is refused, or taken and then written the same way.
func FuzzSchema(f *testing.F) {
	for _, text := range []string{"1\n", "3\n", "4\n", "0\n", "01\n", "1", "", "-1\n", "99999999999999999999\n"} {
		f.Add([]byte(text))
	}
	known := []Migration{rename("x", "y"), rename("y", "x")}
	f.Fuzz(func(t *testing.T, text []byte) {
		files, err := Migrate(Files{schemaFile: text}, known)
		if err != nil {
			return
		}
		if string(files[schemaFile]) != "3\n" {
			t.Errorf("%q became %q", text, files[schemaFile])
		}
		if again, err := Migrate(files, known); err != nil || len(again) != len(files) {
			t.Errorf("%q, %v", again, err)
		}
	})
}
