package tree

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File returns an entry for a file of the build host with mode 0444, or 0555 if executable is asked for.
func File(path, source string, executable bool) (Entry, error) {
	info, err := os.Stat(source)
	if err != nil {
		return Entry{}, fmt.Errorf("cannot take %q for %q: %w", source, path, err)
	}
	if !info.Mode().IsRegular() {
		return Entry{}, fmt.Errorf("cannot take %q for %q: it is no regular file", source, path)
	}
	mode := fs.FileMode(0o444)
	if executable {
		mode = 0o555
	}
	return Entry{Path: path, Mode: mode, Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(source) }}, nil
}

// Bytes returns an entry for a file of mode 0444 with this content.
func Bytes(path string, content []byte) Entry {
	return Entry{Path: path, Mode: 0o444, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

// Directory returns an entry for a directory of mode 0555.
func Directory(path string) Entry { return Entry{Path: path, Mode: directoryMode} }

// Link returns an entry for a symbolic link.
func Link(path, target string) Entry {
	return Entry{Path: path, Mode: fs.ModeSymlink | 0o777, Target: target}
}
