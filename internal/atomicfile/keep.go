package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Keep replaces a small file that must survive a power cut: afterwards the old or the new content is there, whole, and from the return on the new one.
// Only root reads it. Its directory is made where it is missing.
func Keep(path string, content []byte) error {
	dir := filepath.Dir(path)
	_, err := os.Stat(dir)
	fresh := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err = WriteMode(path, 0o600, int64(len(content)), func(f *os.File) error {
		_, err := f.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	if err := syncDirectory(dir); err != nil || !fresh {
		return err
	}
	return syncDirectory(filepath.Dir(dir))
}

// Drop removes a file for good; none is no error.
func Drop(path string) error {
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDirectory(filepath.Dir(path)))
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
