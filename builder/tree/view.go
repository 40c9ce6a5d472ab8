package tree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/erofs/go-erofs"
)

// viewName turns "/etc/hosts" into "etc/hosts", and "/" into ".", as io/fs wants it.
func viewName(p string) string {
	if p == "/" {
		return "."
	}
	return strings.TrimPrefix(p, "/")
}

func parentName(name string) string { return path.Dir(name) }

// Open opens a file, whose content is opened at the first read and closed at its end: go-erofs opens all files before it
// copies the first one.
func (v *view) Open(name string) (fs.File, error) {
	n, ok := v.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &lazyFile{node: n}, nil
}

// Stat implements fs.StatFS.
func (v *view) Stat(name string) (fs.FileInfo, error) {
	n, ok := v.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// ReadDir implements fs.ReadDirFS.
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	n, ok := v.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return n.children, nil
}

// ReadLink gives a link's target.
func (v *view) ReadLink(name string) (string, error) {
	n, ok := v.nodes[name]
	if !ok || n.Entry.Mode.Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return n.Target, nil
}

func (n *viewNode) Name() string               { return path.Base(n.name) }
func (n *viewNode) IsDir() bool                { return n.Entry.Mode.IsDir() }
func (n *viewNode) Type() fs.FileMode          { return n.Entry.Mode.Type() }
func (n *viewNode) Info() (fs.FileInfo, error) { return n, nil }
func (n *viewNode) Mode() fs.FileMode          { return n.Entry.Mode }
func (n *viewNode) ModTime() time.Time         { return n.modified }

func (n *viewNode) Size() int64 {
	if n.Entry.Mode.IsRegular() {
		return n.Entry.Size
	}
	return 0
}

// Sys carries what fs.FileInfo has no word for.
func (n *viewNode) Sys() any {
	return &erofs.Stat{
		Mode: n.Entry.Mode, Size: n.Size(), UID: n.UID, GID: n.GID, Rdev: uint32(n.Rdev),
		Mtime: uint64(n.modified.Unix()), Nlink: n.links, Xattrs: n.Xattrs,
	}
}

// lazyFile is one open file of a view.
type lazyFile struct {
	node *viewNode
	r    io.ReadCloser
	read int64
}

func (f *lazyFile) Stat() (fs.FileInfo, error) { return f.node, nil }

// Read refuses content that is not as long as the entry says: go-erofs would cut it off, or shift what follows.
func (f *lazyFile) Read(p []byte) (int, error) {
	if f.r == nil {
		r, err := f.node.Open()
		if err != nil {
			return 0, fmt.Errorf("cannot open content of %q: %w", f.node.Path, err)
		}
		f.r = r
	}
	n, err := f.r.Read(p)
	f.read += int64(n)
	size := f.node.Entry.Size
	if errors.Is(err, io.EOF) && f.read < size {
		return n, fmt.Errorf("content of %q has %d bytes, not %d", f.node.Path, f.read, size)
	}
	if err == nil && f.read == size {
		if extra, _ := f.r.Read(make([]byte, 1)); extra > 0 {
			return 0, fmt.Errorf("content of %q has more than %d bytes", f.node.Path, size)
		}
	}
	return n, err
}

func (f *lazyFile) Close() error {
	if f.r == nil {
		return nil
	}
	err := f.r.Close()
	f.r = nil
	return err
}
