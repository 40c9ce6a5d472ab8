package oci

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// spool keeps the contents of an image's files one behind the other: layers can be read only once and in order, the root is written in another one.
type spool struct {
	path   string
	file   *os.File
	out    *bufio.Writer
	offset int64
}

func newSpool(path string) (*spool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the work directory: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("cannot make the file for its contents: %w", err)
	}
	return &spool{path: path, file: f, out: bufio.NewWriterSize(f, 1<<20)}, nil
}

func (s *spool) add(r io.Reader) (span, error) {
	n, err := io.Copy(s.out, r)
	at := span{s.offset, n}
	s.offset += n
	return at, err
}

func (s *spool) close() error {
	if err := errors.Join(s.out.Flush(), s.file.Close()); err != nil {
		_ = os.Remove(s.path)
		return fmt.Errorf("cannot write its contents to %q: %w", s.path, err)
	}
	return nil
}

func (s *spool) remove() {
	_ = s.file.Close()
	_ = os.Remove(s.path)
}
