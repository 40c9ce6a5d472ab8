package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/internal/atomicfile"
)

// store keeps small files of root's alone, each twice: NAME, and NAME.last-good which is written when NAME is on the medium. At every
// moment one of the two is whole.
type store struct{ dir string }

const copySuffix = ".last-good"

// read returns what is there under a name, the newer copy first, unless it is larger than limit. Whether it is whole is for the caller to
// find out: files that cannot be read are none.
func (s store) read(name string, limit int64) [][]byte {
	var found [][]byte
	for _, path := range []string{name, name + copySuffix} {
		path = filepath.Join(s.dir, path)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > limit {
			continue
		}
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			found = append(found, data)
		}
	}
	return found
}

// write replaces both copies; nothing is written where both hold data already.
func (s store) write(name string, data []byte) error {
	for _, path := range []string{name, name + copySuffix} {
		path = filepath.Join(s.dir, path)
		if held, err := os.ReadFile(path); err == nil && bytes.Equal(held, data) {
			continue
		}
		if err := atomicfile.Keep(path, data); err != nil {
			return s.explain(name, err)
		}
	}
	return nil
}

func (s store) explain(name string, err error) error {
	err = fmt.Errorf("cannot keep %q: %w", filepath.Join(s.dir, name), err)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.As(fault.Exhausted, err)
	}
	return err
}

func (s store) sync() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// remove returns when neither copy is on the medium.
func (s store) remove(names ...string) error {
	for _, name := range names {
		for _, path := range []string{name, name + copySuffix} {
			if err := os.Remove(filepath.Join(s.dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("cannot remove %q: %w", path, err)
			}
		}
	}
	if err := s.sync(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot flush %q: %w", s.dir, err)
	}
	return nil
}
