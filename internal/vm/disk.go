package vm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// prepareDisks returns the path of each disk to give to QEMU, copies made where asked for.
func prepareDisks(o Options) ([]string, error) {
	var paths []string
	for i, d := range o.Disks {
		if !isFile(d.Path) {
			return nil, fmt.Errorf("cannot use disk %q: %w", d.Path, os.ErrNotExist)
		}
		path := d.Path
		if d.Copy {
			path = o.inDir(fmt.Sprintf("disk%d.raw", i))
			if err := copyDisk(path, d.Path, d.SizeBytes); err != nil {
				return nil, err
			}
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		paths = append(paths, absolute)
	}
	return paths, nil
}

// copyDisk makes a sparse copy of at least size bytes, unless one lies there from an earlier start.
func copyDisk(to, from string, size int64) error {
	if !isFile(to) {
		if err := CopySparse(to, from); err != nil {
			os.Remove(to)
			return fmt.Errorf("cannot copy disk %q: %w", from, err)
		}
	}
	info, err := os.Stat(to)
	if err == nil && info.Size() < size {
		err = os.Truncate(to, size)
	}
	return err
}

// CopySparse copies a file's data and keeps its holes (lseek(2): SEEK_DATA, SEEK_HOLE).
func CopySparse(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	for at := int64(0); ; {
		start, err := unix.Seek(int(in.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // nothing but a hole up to the end
			break
		} else if err != nil {
			return err
		}
		if at, err = unix.Seek(int(in.Fd()), start, unix.SEEK_HOLE); err != nil {
			return err
		}
		if err := copyRange(out, in, start, at-start); err != nil {
			return err
		}
	}
	if err := out.Truncate(info.Size()); err != nil {
		return err
	}
	return out.Close()
}

func copyRange(out, in *os.File, start, length int64) error {
	for _, f := range []*os.File{in, out} {
		if _, err := f.Seek(start, io.SeekStart); err != nil {
			return err
		}
	}
	_, err := io.CopyN(out, in, length)
	return err
}

// copyOnce copies a small file unless it lies there from an earlier start.
func copyOnce(to, from string) error {
	if isFile(to) {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}
