package output

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/internal/atomicfile"
)

// extent is a range of a file that holds data.
type extent struct{ start, end int64 }

// dataExtents asks the file system where data lies (lseek(2), SEEK_DATA and SEEK_HOLE). Where it does not know, all is data.
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

// CopySparse copies a file and its holes. The copy has its name when it is whole.
func CopySparse(ctx context.Context, target, source string) error {
	r, size, extents, err := openSparse(source)
	if err != nil {
		return fmt.Errorf("cannot copy %q: %w", source, err)
	}
	defer r.Close()
	var need int64
	for _, e := range extents {
		need += e.end - e.start
	}
	return atomicfile.Write(target, need, func(w *os.File) error {
		if err := w.Truncate(size); err != nil {
			return err
		}
		for _, e := range extents {
			if _, err := w.Seek(e.start, io.SeekStart); err != nil {
				return err
			}
			// Between two files of one file system this is copy_file_range(2).
			if _, err := r.Seek(e.start, io.SeekStart); err != nil {
				return err
			}
			if _, err := io.CopyN(w, r, e.end-e.start); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// ArtifactOf measures a file. Holes are hashed without being read.
func ArtifactOf(ctx context.Context, name, version, path string) (Artifact, error) {
	f, size, extents, err := openSparse(path)
	if err != nil {
		return Artifact{}, fmt.Errorf("cannot measure %q: %w", path, err)
	}
	defer f.Close()
	h, at := sha256.New(), int64(0)
	for _, e := range append(extents, extent{size, size}) {
		if err := hashZeroes(ctx, h, e.start-at); err != nil {
			return Artifact{}, err
		}
		if _, err := io.Copy(h, io.NewSectionReader(f, e.start, e.end-e.start)); err != nil {
			return Artifact{}, fmt.Errorf("cannot measure %q: %w", path, err)
		}
		at = e.end
	}
	return Artifact{Name: name, Version: version, SizeBytes: size, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

func openSparse(path string) (*os.File, int64, []extent, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	extents, err := dataExtents(f, info.Size())
	if err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	return f, info.Size(), extents, nil
}

func hashZeroes(ctx context.Context, h hash.Hash, n int64) error {
	var zeroes [64 << 10]byte
	for ; n > 0; n -= int64(len(zeroes)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		h.Write(zeroes[:min(n, int64(len(zeroes)))])
	}
	return nil
}
