package block

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// File is a disk, a partition or a regular file.
//
// The kernel keeps one page cache for a disk and another for each of its partitions: what was written by one is not seen by the
// other before it was flushed and dropped. So nobody else may have the same bytes open while a File writes them.
type File struct {
	file         *os.File
	direct       *os.File // by O_DIRECT; nil where the file system has none
	size, sector int64
}

const (
	// directAlignment is what offset, length and address of a transfer with O_DIRECT are multiples of. It suits logical blocks of 512 and 4096
	// bytes.
	directAlignment = 4096
	// directWriteBytes is from when on aligned writes go around the page cache: an image that is written would only push out of it what is used.
	directWriteBytes = 64 << 10
)

// OpenFile opens path for reading and writing.
func OpenFile(path string) (*File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open device: %w", err)
	}
	f := &File{file: file, sector: 512}
	if f.size, err = file.Seek(0, io.SeekEnd); err != nil { // a disk says its size by this, too (block/fops.c, blkdev_llseek)
		return nil, errors.Join(fmt.Errorf("cannot read size of device: %w", err), file.Close())
	}
	info, err := file.Stat()
	if err == nil && info.Mode()&os.ModeDevice != 0 {
		f.sector, err = sectorSize(file)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read sector size of %q: %w", path, err), file.Close())
	}
	if f.direct, err = os.OpenFile(path, os.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0); err != nil {
		f.direct = nil
	}
	return f, nil
}

func sectorSize(file *os.File) (int64, error) {
	n, err := unix.IoctlGetInt(int(file.Fd()), unix.BLKSSZGET)
	return int64(n), err
}

// ReadAt reads, from memory where it can.
func (f *File) ReadAt(p []byte, at int64) (int, error) { return f.file.ReadAt(p, at) }

// WriteAt writes all of p, or nothing where it would leave the device: a regular file must not grow. The kernel keeps its page cache in step with
// what goes around it (mm/filemap.c, kiocb_invalidate_pages).
func (f *File) WriteAt(p []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(p)) > f.size {
		return 0, ErrOutside
	}
	if f.direct != nil && len(p) >= directWriteBytes && isAligned(p, at) {
		if n, err := f.direct.WriteAt(p, at); !errors.Is(err, unix.EINVAL) {
			return n, err
		}
	}
	return f.file.WriteAt(p, at)
}

// Flush waits until the disk says that it has everything, its own cache flushed.
func (f *File) Flush() error { return f.file.Sync() }

// SizeBytes is the length at opening.
func (f *File) SizeBytes() int64 { return f.size }

// SectorSize is the logical block size; 512 for a regular file.
func (f *File) SectorSize() int64 { return f.sector }

// Close closes the device.
func (f *File) Close() error {
	if f.direct == nil {
		return f.file.Close()
	}
	return errors.Join(f.file.Close(), f.direct.Close())
}

// ReadMedium reads around the page cache, by O_DIRECT, or where that is refused by dropping the pages first, which the kernel does as
// far as nobody uses them. What is not flushed yet is flushed.
func (f *File) ReadMedium(p []byte, at int64) (int, error) {
	if at < 0 || at > f.size {
		return 0, ErrOutside
	}
	if f.direct != nil {
		n, err := readDirect(f.direct, p, at, f.size)
		if !errors.Is(err, unix.EINVAL) {
			return n, err
		}
	}
	if err := f.file.Sync(); err != nil {
		return 0, err
	}
	start := at &^ (directAlignment - 1)
	length := int64(roundUp(int(at-start) + len(p)))
	if err := unix.Fadvise(int(f.file.Fd()), start, length, unix.FADV_DONTNEED); err != nil {
		return 0, &os.PathError{Op: "fadvise", Path: f.file.Name(), Err: err}
	}
	return f.file.ReadAt(p, at)
}

// directBytes is the most that one read takes that needs a buffer of its own: memory stays bounded.
const directBytes = 1 << 20

// readDirect fills p by aligned reads, straight into it where it is aligned itself.
func readDirect(file *os.File, p []byte, at, size int64) (int, error) {
	if isAligned(p, at) && at+int64(len(p)) <= size {
		return file.ReadAt(p, at)
	}
	buffer := aligned(min(directBytes, roundUp(len(p)+directAlignment)))
	done := 0
	for done < len(p) {
		skip := int((at + int64(done)) % directAlignment)
		start := at + int64(done-skip)
		n, err := unix.Pread(int(file.Fd()), buffer[:min(len(buffer), roundUp(skip+len(p)-done))], start)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return done, &os.PathError{Op: "read directly", Path: file.Name(), Err: err}
		case n <= skip || start+int64(skip) >= size:
			return done, io.EOF
		}
		done += copy(p[done:], buffer[skip:n])
	}
	return done, nil
}

// isAligned tells whether p can go to or come from the medium as it is.
func isAligned(p []byte, at int64) bool {
	return len(p) > 0 && (uintptr(unsafe.Pointer(&p[0]))|uintptr(len(p))|uintptr(at))%directAlignment == 0
}

func roundUp(n int) int { return (n + directAlignment - 1) &^ (directAlignment - 1) }

// aligned returns n bytes at an address that O_DIRECT takes.
func aligned(n int) []byte {
	b := make([]byte, n+directAlignment)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (directAlignment - 1)
	return b[skip : skip+n : skip+n]
}
