// Package atomicfile writes files that are either whole under their final name or not there at all: content goes to a temporary
// name in the same directory, which is synced and renamed at the end and removed on any error.
//
// Write and WriteMode are for what a person asked for and can ask for again; Keep is for what a machine must not forget.
//
// It also turns a full disk into an error that says which file and how much room it needs.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Write calls fill with an empty temporary file and gives it the name path when fill and the sync succeed. needBytes is how much
// is going to be written, for the error of a full disk; 0: unknown.
func Write(path string, needBytes int64, fill func(f *os.File) error) error {
	return WriteMode(path, 0o644, needBytes, fill)
}

// WriteMode is Write with a mode of its own, such as 0600 for secrets.
func WriteMode(path string, mode os.FileMode, needBytes int64, fill func(f *os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("cannot create %q: %w", path, err)
	}
	return finish(path, mode, needBytes, f, fill)
}

func finish(path string, mode os.FileMode, needBytes int64, f *os.File, fill func(f *os.File) error) error {
	if err := fillAndRename(path, mode, f, fill); err != nil {
		f.Close()
		os.Remove(f.Name())
		return explain(path, needBytes, err)
	}
	return nil
}

func fillAndRename(path string, mode os.FileMode, f *os.File, fill func(f *os.File) error) error {
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// FullError means that the disk has no room for the file.
type FullError struct {
	// Path of the file that could not be written.
	Path string
	// NeedBytes is how large it becomes, 0 if unknown; FreeBytes is what the file system has without it.
	NeedBytes, FreeBytes int64
	Err                  error
}

func (e *FullError) Error() string {
	const cause = "no space is left"
	if e.NeedBytes == 0 {
		return fmt.Sprintf("cannot write %q: %s: %d bytes are free", e.Path, cause, e.FreeBytes)
	}
	return fmt.Sprintf("cannot write %q: %s: it needs %d bytes, %d are free", e.Path, cause, e.NeedBytes, e.FreeBytes)
}

func (e *FullError) Unwrap() error { return e.Err }

// Hint is the next step for a person.
func (e *FullError) Hint() string {
	return fmt.Sprintf("make room on the file system of %s, or choose another output directory", filepath.Dir(e.Path))
}

// explain adds what the disk has room for; the unfinished file is gone already.
func explain(path string, needBytes int64, err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	full := &FullError{Path: path, NeedBytes: needBytes, Err: err}
	var s unix.Statfs_t
	if unix.Statfs(filepath.Dir(path), &s) == nil {
		full.FreeBytes = int64(s.Bavail) * s.Bsize
	}
	return full
}
