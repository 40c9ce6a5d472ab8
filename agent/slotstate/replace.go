package slotstate

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

const (
	// maxFiles and maxBytes bound one slot's state: it is held in memory while it is copied.
	maxFiles = 64
	maxBytes = 8 << 20
)

// Files are the contents of a slot's directory by path, with slashes, such as "document/api".
type Files map[string][]byte

// load reads a slot's directory; one that is not there has no files. What is being written (temporary names) is no part of it.
func load(dir string) (Files, error) {
	files, total := Files{}, int64(0)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // nothing there, or removed just now
		case err != nil:
			return err
		case isTemporary(entry.Name()) && path != dir:
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%q is neither a file nor a directory", path)
		}
		info, err := entry.Info()
		if err == nil {
			err = bounded(len(files)+1, total+info.Size()) // before it is read: what lies there may have grown by mistake
		}
		var data []byte
		if err == nil {
			data, err = os.ReadFile(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(relative)] = data
		total += int64(len(data))
		return bounded(len(files), total)
	})
	return files, err
}

func bounded(files int, total int64) error {
	if files > maxFiles || total > maxBytes {
		return fmt.Errorf("it has more than %d files or %d bytes", maxFiles, maxBytes)
	}
	return nil
}

func (f Files) check() error {
	total := int64(0)
	for path, data := range f {
		if !filepath.IsLocal(path) || slices.ContainsFunc(parts(path), isTemporary) {
			return fmt.Errorf("%q is not the path of a file in it", path)
		}
		total += int64(len(data))
	}
	return bounded(len(f), total)
}

func parts(path string) []string {
	var all []string
	for path != "." && path != "/" && path != "" {
		all = append(all, filepath.Base(path))
		path = filepath.Dir(path)
	}
	return all
}

// replace makes a slot's directory hold exactly files:
//
//	.a.new is made, every file and directory synced ──▶ a and .a.new are exchanged, one step ──▶ .a.new, now the old one, is removed
func (s Store) replace(slot string, files Files) error {
	if err := files.check(); err != nil {
		return err
	}
	dir := filepath.Join(s.root(), slot)
	if present, err := load(dir); err == nil && exists(dir) && maps.EqualFunc(present, files, slices.Equal) {
		return s.do().sync(s.root()) // an exchange that failed after its first half may not be durable yet
	}
	next := filepath.Join(s.root(), temporary(slot))
	swap := s.do().rename
	if exists(dir) {
		swap = s.do().exchange
	}
	return run(
		func() error { return s.makeAll(s.root()) },
		func() error { return s.discard(next) },
		func() error { return s.build(next, files) },
		func() error { return swap(next, dir) },
		func() error { return s.do().sync(s.root()) },
		func() error { return s.discard(next) },
	)
}

// build makes a directory of files, durable before it returns.
func (s Store) build(dir string, files Files) error {
	if err := s.do().mkdir(dir); err != nil {
		return err
	}
	directories := map[string]bool{dir: true}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		target := filepath.Join(dir, path)
		if err := s.makeAll(filepath.Dir(target)); err != nil {
			return err
		}
		directories[filepath.Dir(target)] = true
		if err := s.do().create(target, files[path]); err != nil {
			return err
		}
		if err := s.do().sync(target); err != nil {
			return err
		}
	}
	for _, directory := range slices.Sorted(maps.Keys(directories)) {
		if err := s.do().sync(directory); err != nil {
			return err
		}
	}
	return nil
}

// makeAll makes a directory and those above it, each durable in the one above.
func (s Store) makeAll(dir string) error {
	if exists(dir) {
		return nil
	}
	return run(
		func() error { return s.makeAll(filepath.Dir(dir)) },
		func() error { return s.do().mkdir(dir) },
		func() error { return s.do().sync(filepath.Dir(dir)) },
	)
}

// discard removes what a power cut, or an exchange, left behind.
func (s Store) discard(path string) error {
	if !exists(path) {
		return nil
	}
	return s.do().removeAll(path)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
