package node

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
)

// Repository is an update repository on the operator's disk: a directory, or the file that stele repo export writes.
type Repository struct {
	directory string
	archive   *os.File
	entries   map[string]entry
}

// entry is where a file of the archive lies in it.
type entry struct{ offset, size int64 }

// maxEntries bounds the index of an archive.
const maxEntries = 10_000

// OpenRepository opens a directory or an uncompressed tar archive (POSIX.1-2001 pax).
func OpenRepository(name string) (*Repository, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open bundle: %w", err)
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(name, "metadata")); err != nil {
			return nil, hint.New(fmt.Errorf("cannot open bundle: %q is no update repository: it has no metadata/", name), "name a repository's directory, or a file made by: stele repo export")
		}
		return &Repository{directory: name}, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open bundle: %w", err)
	}
	r := &Repository{archive: file, entries: map[string]entry{}}
	if err := r.index(); err != nil {
		file.Close()
		return nil, hint.New(fmt.Errorf("cannot open bundle %q: %w", name, err), "make one with: stele repo export")
	}
	return r, nil
}

func (r *Repository) index() error {
	for reader := tar.NewReader(r.archive); len(r.entries) < maxEntries; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errors.New("it ends in the middle: was it copied whole?")
		case errors.Is(err, tar.ErrHeader):
			return errors.New("it is no tar archive")
		case err != nil:
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		offset, err := r.archive.Seek(0, io.SeekCurrent) // archive/tar reads a seekable file header by header
		if err != nil {
			return err
		}
		r.entries[path.Clean(header.Name)] = entry{offset, header.Size}
	}
	for name := range r.entries {
		if strings.HasPrefix(name, "metadata/") {
			return nil
		}
	}
	return errors.New("it holds no metadata/: it is no exported repository")
}

// Close closes the archive.
func (r *Repository) Close() error {
	if r.archive == nil {
		return nil
	}
	return r.archive.Close()
}

// open returns a range of a file; length -1 is to its end. The error is fs.ErrNotExist where there is no such file.
func (r *Repository) open(name string, offset, length int64) (io.ReadCloser, error) {
	if !fs.ValidPath(name) || offset < 0 || length < -1 {
		return nil, fmt.Errorf("the machine asked for %q from %d: %w", name, offset, fs.ErrInvalid)
	}
	if r.archive != nil {
		e, ok := r.entries[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(section(io.NewSectionReader(r.archive, e.offset, e.size), offset, length)), nil
	}
	file, err := os.OpenInRoot(r.directory, filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, fs.ErrNotExist
	}
	return struct {
		io.Reader
		io.Closer
	}{section(io.NewSectionReader(file, 0, info.Size()), offset, length), file}, nil
}

func section(all *io.SectionReader, offset, length int64) io.Reader {
	rest := max(all.Size()-offset, 0)
	if length >= 0 {
		rest = min(rest, length)
	}
	return io.NewSectionReader(all, offset, rest)
}

// messageBytes of data in one message (api/node/v1, PushUpdateRequest.data).
const messageBytes = 256 << 10

// Push serves the machine what it needs of a repository until it has staged the version (empty: the newest).
func (c *Client) Push(ctx context.Context, r *Repository, version string, progress func(*nodev1.Progress)) error {
	stream := c.Updates.Push(ctx)
	defer stream.CloseResponse()
	if err := stream.Send(&nodev1.PushUpdateRequest{Version: version}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for {
		message, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return stream.CloseRequest()
		}
		if err != nil {
			return err
		}
		if message.Progress != nil {
			progress(message.Progress)
		}
		if message.Need == nil {
			continue
		}
		// Where sending fails the machine has ended the call: Receive says why.
		if err := answer(message.Need, r, stream.Send); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}

func answer(need *nodev1.Need, r *Repository, send func(*nodev1.PushUpdateRequest) error) error {
	reader, err := r.open(need.Path, need.Offset, need.Length)
	if errors.Is(err, fs.ErrNotExist) {
		return send(&nodev1.PushUpdateRequest{Need: need.Id, NotFound: true, End: true})
	}
	if err != nil {
		return fmt.Errorf("cannot read bundle: %w", err)
	}
	defer reader.Close()
	buffer := make([]byte, messageBytes)
	for {
		n, err := io.ReadFull(reader, buffer)
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return fmt.Errorf("cannot read bundle: %w", err)
		}
		if err := send(&nodev1.PushUpdateRequest{Need: need.Id, Data: buffer[:n], End: end}); err != nil || end {
			return err
		}
	}
}
