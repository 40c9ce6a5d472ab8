package slotstate

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var errCut = errors.New("power cut")

// cutting is a file system whose power fails before the effect number left; of a file that is being created one half is there.
type cutting struct {
	disk
	left int
	// dirty files, whose content is not durable.
	dirty map[string]bool
	// undo takes back, per directory, what is not durable in it.
	undo map[string][]func()
}

func (c *cutting) alive() bool {
	c.left--
	return c.left >= 0
}

func (c *cutting) note(path string, undo func()) {
	dir := filepath.Dir(path)
	c.undo[dir] = append(c.undo[dir], undo)
}

func (c *cutting) mkdir(path string) error {
	if !c.alive() {
		return errCut
	}
	c.note(path, func() { os.RemoveAll(path) })
	return c.disk.mkdir(path)
}

func (c *cutting) create(path string, data []byte) error {
	cut := !c.alive()
	if cut {
		data = data[:len(data)/2]
	}
	c.dirty[path] = true
	c.note(path, func() { os.Remove(path) })
	if err := c.disk.create(path, data); err != nil || !cut {
		return err
	}
	return errCut
}

func (c *cutting) sync(path string) error {
	if !c.alive() {
		return errCut
	}
	delete(c.dirty, path)
	delete(c.undo, path)
	return c.disk.sync(path)
}

func (c *cutting) rename(from, to string) error {
	if !c.alive() {
		return errCut
	}
	old, err := os.ReadFile(to)
	c.note(to, func() {
		os.Rename(to, from)
		if err == nil {
			os.WriteFile(to, old, 0o600)
		}
	})
	c.move(from, to)
	return c.disk.rename(from, to)
}

func (c *cutting) exchange(a, b string) error {
	if !c.alive() {
		return errCut
	}
	c.note(b, func() { c.disk.exchange(a, b) })
	c.move(a, b)
	return c.disk.exchange(a, b)
}

// move lets what is not durable under one path be so under another.
func (c *cutting) move(from, to string) {
	for path := range maps.Clone(c.dirty) {
		if rest, ok := strings.CutPrefix(path, from); ok {
			delete(c.dirty, path)
			c.dirty[to+rest] = true
		}
	}
}

func (c *cutting) removeAll(path string) error {
	if c.alive() {
		return c.disk.removeAll(path)
	}
	if inside, _ := os.ReadDir(path); len(inside) > 0 { // cut in the middle of it
		os.RemoveAll(filepath.Join(path, inside[0].Name()))
	}
	return errCut
}

// lose forgets everything that was not made durable.
func (c *cutting) lose() {
	for path := range c.dirty {
		_ = os.Truncate(path, 0)
	}
	for _, undos := range c.undo {
		for _, undo := range slices.Backward(undos) {
			undo()
		}
	}
}

func TestPowerCuts(t *testing.T) {
	toB := func(s Store) error { return s.Copy("a", "b") }
	renamed := []Migration{rename("x", "y")}
	for name, c := range map[string]struct {
		before map[string]Files // by directory below the test's root: slots/a, slots/b, legacy
		slot   string           // the one that changes
		do     func(Store) error
		after  Files
		file   string // compare this file only; empty: the whole slot
	}{
		"copy over another": {
			map[string]Files{"slots/a": {"schema": []byte("1\n"), "d/x": []byte("new")}, "slots/b": {"d/x": []byte("old"), "z": nil}},
			"b", toB, Files{"schema": []byte("1\n"), "d/x": []byte("new")}, ""},
		"copy to a slot without state": {
			map[string]Files{"slots/a": {"d/x": []byte("new")}}, "b", toB, Files{"d/x": []byte("new")}, ""},
		"copy of nothing": {
			map[string]Files{"slots/b": {"d/x": []byte("old")}}, "b", toB, Files{}, ""},
		"migrate": {
			map[string]Files{"slots/a": {"x": []byte("kept")}},
			"a", func(s Store) error { s.migrations = renamed; return s.Prepare("a", "") }, Files{"schema": []byte("2\n"), "y": []byte("kept")}, ""},
		"take over": {
			map[string]Files{"legacy": {"last-good": []byte("kept")}},
			"a", func(s Store) error { return s.Prepare("a", filepath.Join(filepath.Dir(s.Root), "legacy")) },
			Files{"schema": []byte("1\n"), "document/last-good": []byte("kept")}, ""},
		"write a new file": {
			map[string]Files{"slots/a": {"x": []byte("kept")}},
			"a", func(s Store) error { return s.Write("a", "d/y", []byte("written")) }, Files{"x": []byte("kept"), "d/y": []byte("written")}, "d/y"},
		"write over a file": {
			map[string]Files{"slots/a": {"x": []byte("kept")}},
			"a", func(s Store) error { return s.Write("a", "x", []byte("written")) }, Files{"x": []byte("written")}, "x"},
		"remove a file": {
			map[string]Files{"slots/a": {"x": []byte("kept"), "y": []byte("kept")}},
			"a", func(s Store) error { return s.Remove("a", "x") }, Files{"y": []byte("kept")}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lossy := range []bool{false, true} {
				cuts := 0
				for ; ; cuts++ {
					root := layOut(t, c.before)
					power := &cutting{left: cuts, dirty: map[string]bool{}, undo: map[string][]func(){}}
					err := c.do(Store{Root: filepath.Join(root, "slots"), effects: power})
					if err != nil && !errors.Is(err, errCut) {
						t.Fatal(err)
					}
					if lossy {
						power.lose()
					}
					survive(t, cuts, root, c.before, c.slot, c.after, err == nil)
					if restored := (Store{Root: filepath.Join(root, "slots")}); c.do(restored) != nil || !same(t, restored.Dir(c.slot), c.after) {
						t.Errorf("cut %d: doing it again does not end it: %q", cuts, content(t, restored.Dir(c.slot)))
					}
					if err == nil {
						break
					}
				}
				if cuts < 2 {
					t.Errorf("only %d cuts", cuts)
				}
			}
		})
	}
}

// survive checks a root after a cut: the slot's state is the old or the new one, every other one is as it was.
func survive(t *testing.T, cut int, root string, before map[string]Files, slot string, after Files, done bool) {
	t.Helper()
	for dir, files := range before {
		if dir != "slots/"+slot && !same(t, filepath.Join(root, dir), files) {
			t.Errorf("cut %d: %s has changed", cut, dir)
		}
	}
	dir := filepath.Join(root, "slots", slot)
	if !same(t, dir, after) && (done || !same(t, dir, before["slots/"+slot])) {
		t.Errorf("cut %d: neither old nor new: %q", cut, content(t, dir))
	}
}

func layOut(t *testing.T, dirs map[string]Files) string {
	t.Helper()
	root := t.TempDir()
	for dir, files := range dirs {
		for path, data := range files {
			target := filepath.Join(root, dir, path)
			if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o700), os.WriteFile(target, data, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func content(t *testing.T, dir string) Files {
	t.Helper()
	files, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func same(t *testing.T, dir string, want Files) bool {
	t.Helper()
	return maps.EqualFunc(content(t, dir), want, slices.Equal)
}

func rename(from, to string) Migration {
	return func(f Files) (Files, error) {
		f[to] = f[from]
		delete(f, from)
		return f, nil
	}
}
