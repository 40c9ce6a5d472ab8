package metadata

import (
	"fmt"
	"io"
	"os"
)

// maxFieldBytes bounds what is read beside the document: meta-data, a host name, an instance's id.
const maxFieldBytes = 64 << 10

// readBounded reads r to its end and refuses more than limit bytes: a document that was cut off must never be taken for a whole one.
func readBounded(r io.Reader, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, tooLarge(limit)
	}
	return b, nil
}

func tooLarge(limit int) error { return fmt.Errorf("larger than the limit of %d bytes", limit) }

// readFile is readBounded of a file. One whose size is known to be too large is not read at all.
func readFile(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > int64(limit) {
		return nil, fmt.Errorf("cannot read %q: %w", path, tooLarge(limit))
	}
	b, err := readBounded(f, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, err)
	}
	return b, nil
}
