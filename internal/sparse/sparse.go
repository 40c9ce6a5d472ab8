// Package sparse reads and copies files with holes, disk images above all, without reading or writing the holes.
//
// It asks the file system where data lies (lseek(2): SEEK_DATA, SEEK_HOLE); where that does not know, all is data. It looks at no content:
// zeroes that were written stay written. Rejected: to look for zeroes in the content, which reads 1.5 GiB of nothing per disk image.
package sparse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/internal/atomicfile"
)

// extent is a range of a file that holds data.
type extent struct{ start, end int64 }

// File is a file that is open for reading, and the places of its data.
type File struct {
	SizeBytes int64
	file      *os.File
	extents   []extent
}

// Open opens a file and finds its holes.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	extents, err := dataExtents(f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{info.Size(), f, extents}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

func dataExtents(f *os.File, size int64) ([]extent, error) {
	var extents []extent
	for at := int64(0); at < size; {
		start, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // a hole up to the end
			break
		}
		if errors.Is(err, unix.EINVAL) && at == 0 {
			return []extent{{0, size}}, nil
		}
		if err != nil {
			return nil, err
		}
		end, err := unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		extents = append(extents, extent{start, min(end, size)})
		at = end
	}
	return extents, nil
}

// WriteTo writes the whole content, holes as zeroes that need no reading.
func (f *File) WriteTo(ctx context.Context, w io.Writer) error {
	at := int64(0)
	for _, e := range append(f.extents[:len(f.extents):len(f.extents)], extent{f.SizeBytes, f.SizeBytes}) {
		if err := writeZeroes(ctx, w, e.start-at); err != nil {
			return err
		}
		if _, err := io.Copy(w, io.NewSectionReader(f.file, e.start, e.end-e.start)); err != nil {
			return err
		}
		at = e.end
	}
	return nil
}

var zeroes [64 << 10]byte

func writeZeroes(ctx context.Context, w io.Writer, n int64) error {
	for ; n > 0; n -= int64(len(zeroes)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.Write(zeroes[:min(n, int64(len(zeroes)))]); err != nil {
			return err
		}
	}
	return nil
}

// Copy copies a file and its holes. The copy has its name when it is whole.
func Copy(ctx context.Context, target, source string) error {
	f, err := Open(source)
	if err != nil {
		return fmt.Errorf("cannot copy %q: %w", source, err)
	}
	defer f.Close()
	var need int64
	for _, e := range f.extents {
		need += e.end - e.start
	}
	return atomicfile.Write(target, need, func(w *os.File) error {
		if err := w.Truncate(f.SizeBytes); err != nil {
			return err
		}
		for _, e := range f.extents {
			if err := copyExtent(w, f.file, e); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyExtent leaves the copying to the kernel: between two files of one file system, io.CopyN is copy_file_range(2).
func copyExtent(to, from *os.File, e extent) error {
	for _, f := range []*os.File{to, from} {
		if _, err := f.Seek(e.start, io.SeekStart); err != nil {
			return err
		}
	}
	_, err := io.CopyN(to, from, e.end-e.start)
	return err
}
