package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Keep replaces a small file that must survive a power cut: afterwards the old or the new content is there, whole, and from the return on the new one.
// Only root reads it. Its directory is made where it is missing. One writer at a time: the temporary name is always the same, so that what power cuts
// leave is overwritten and does not pile up.
func Keep(path string, content []byte) error {
	dir := filepath.Dir(path)
	_, err := os.Stat(dir)
	fresh := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "."+filepath.Base(path)+".new"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return explain(path, int64(len(content)), err)
	}
	err = finish(path, 0o600, int64(len(content)), f, func(f *os.File) error {
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
