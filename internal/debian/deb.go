package debian

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// ErrStop ends WalkDeb early, without an error.
var ErrStop = errors.New("stop")

// maxDataBytes bounds what a package may decompress to, so that a few kilobytes cannot keep us busy for hours. The largest we use is the
// kernel's source, 150 MB.
const maxDataBytes = 4 << 30

// WalkDeb calls each for every file of a binary package (deb(5)), in the archive's order. Names are absolute and clean.
// The reader is valid during the call only.
func WalkDeb(deb io.Reader, each func(name string, header *tar.Header, content io.Reader) error) error {
	return walkDeb(deb, maxDataBytes, each)
}

func walkDeb(deb io.Reader, limit int64, each func(name string, header *tar.Header, content io.Reader) error) error {
	ar, err := newArReader(bufio.NewReaderSize(deb, 64<<10))
	if err != nil {
		return err
	}
	for {
		name, content, err := ar.next()
		if errors.Is(err, io.EOF) {
			return errors.New("it has no member data.tar")
		}
		if err != nil {
			return err
		}
		if suffix, ok := strings.CutPrefix(name, "data.tar"); ok {
			return walkData(content, suffix, limit, each)
		}
	}
}

func walkData(content io.Reader, suffix string, limit int64, each func(string, *tar.Header, io.Reader) error) error {
	plain, err := decompress(content, suffix)
	if err != nil {
		return err
	}
	defer plain.Close()
	files := tar.NewReader(&boundedReader{plain, limit})
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read data.tar%s: %w", suffix, err)
		}
		err = each(path.Clean("/"+header.Name), header, files)
		if errors.Is(err, ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// boundedReader fails where io.LimitReader would silently end.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("it decompresses to too many bytes")
	}
	return n, err
}

func decompress(r io.Reader, suffix string) (io.ReadCloser, error) {
	switch suffix {
	case "":
		return io.NopCloser(r), nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		// The archive's own dictionary size counts where it is larger; without this each reader would take 8 MiB at once.
		x, err := xz.ReaderConfig{DictCap: lzma.MinDictCap}.NewReader(r)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(x), nil
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("%q is no known compression", suffix)
}
