package slotstate

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// effects are all that this package does to a file system. Tests cut the power between any two of them.
type effects interface {
	mkdir(path string) error
	// create writes a whole file, which is not durable before sync.
	create(path string, data []byte) error
	// sync makes a file's content, or a directory's entries, durable.
	sync(path string) error
	rename(from, to string) error
	// exchange swaps two directories in one step.
	exchange(a, b string) error
	removeAll(path string) error
}

// disk is the real file system. Only root reads what it makes: documents may hold secrets.
type disk struct{}

func (disk) mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (disk) create(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (disk) sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }

func (disk) exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if err != nil {
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}

func (disk) removeAll(path string) error { return os.RemoveAll(path) }
