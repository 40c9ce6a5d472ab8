package oci

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"strings"
)

const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
	// maxLinks in the resolution of one path, like the kernel's.
	maxLinks = 40
	// maxEntries of one image: a bound for broken input, far above any real image.
	maxEntries = 2 << 20
	// xattrRecord is the PAX record prefix of extended attributes.
	xattrRecord = "SCHILY.xattr."
)

// file is one entry of a flattened image. Paths are relative to its root, clean; the root itself is ".".
type file struct {
	mode     fs.FileMode
	uid, gid uint32
	target   string
	xattrs   map[string]string
	content  span
	layer    int
}

// span is where a file's bytes lie in the spool.
type span struct{ offset, size int64 }

// flattened is a root file system that grows layer by layer.
type flattened struct {
	files map[string]*file
	layer int
	spool func(io.Reader) (span, error)
}

func newFlattened(spool func(io.Reader) (span, error)) *flattened {
	return &flattened{files: map[string]*file{".": {mode: fs.ModeDir | 0o755}}, spool: spool}
}

// apply puts one uncompressed layer over what is there.
func (f *flattened) apply(layer io.Reader) error {
	f.layer++
	r := tar.NewReader(layer)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read the archive: %w", err)
		}
		if err := f.add(h, r); err != nil {
			return fmt.Errorf("cannot take entry %q: %w", h.Name, err)
		}
	}
}

func (f *flattened) add(h *tar.Header, content io.Reader) error {
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	dir, base := path.Split(name)
	dir, err = f.resolve(dir)
	if err != nil {
		return err
	}
	name = path.Join(dir, base)
	switch {
	case base == whiteoutOpaque:
		f.removeBelow(dir, true)
		return nil
	case strings.HasPrefix(base, whiteoutPrefix):
		return f.whiteout(dir, strings.TrimPrefix(base, whiteoutPrefix))
	}
	e, err := f.entry(h, content)
	if err != nil || e == nil {
		return err
	}
	if name != "." {
		f.makeParents(dir)
	}
	return f.put(name, e)
}

// put replaces what is there, unless both are directories.
func (f *flattened) put(name string, e *file) error {
	if !e.mode.IsDir() {
		if name == "." {
			return errors.New("the image's root is no directory")
		}
		f.removeBelow(name, false)
	}
	if len(f.files) >= maxEntries {
		return fmt.Errorf("the image has more than %d entries", maxEntries)
	}
	f.files[name] = e
	return nil
}

func (f *flattened) whiteout(dir, base string) error {
	if base == "" || base == "." || base == ".." || strings.Contains(base, "/") {
		return errors.New("the whiteout names nothing")
	}
	name := path.Join(dir, base)
	f.removeBelow(name, true)
	if old := f.files[name]; old != nil && old.layer < f.layer && name != "." {
		delete(f.files, name)
	}
	return nil
}

// removeBelow removes everything under a directory; with older only what earlier layers brought.
func (f *flattened) removeBelow(dir string, older bool) {
	if e := f.files[dir]; e == nil || !e.mode.IsDir() {
		return
	}
	maps.DeleteFunc(f.files, func(name string, e *file) bool {
		return below(name, dir) && (!older || e.layer < f.layer)
	})
}

// makeParents makes the directories that a layer did not bother to name, and turns what is in their way into directories.
func (f *flattened) makeParents(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		if e := f.files[dir]; e != nil && e.mode.IsDir() {
			return
		}
		f.files[dir] = &file{mode: fs.ModeDir | 0o755, layer: f.layer}
	}
}

// entry makes a file of an archive's header; nil for kinds that are left out.
func (f *flattened) entry(h *tar.Header, content io.Reader) (*file, error) {
	e := &file{
		mode: h.FileInfo().Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky),
		uid:  uint32(h.Uid), gid: uint32(h.Gid), //nolint:gosec // the kernel has 32 bits for them too
		xattrs: xattrs(h), layer: f.layer,
	}
	switch h.Typeflag {
	case tar.TypeDir:
		e.mode |= fs.ModeDir
	case tar.TypeReg:
		s, err := f.spool(content)
		e.content = s
		return e, err
	case tar.TypeSymlink:
		if h.Linkname == "" {
			return nil, errors.New("the symbolic link has no target")
		}
		e.mode, e.target = fs.ModeSymlink|fs.ModePerm, h.Linkname
	case tar.TypeLink:
		return f.hardlink(h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil, nil
	default:
		return nil, fmt.Errorf("archive entries of type %q are not known", h.Typeflag)
	}
	return e, nil
}

// hardlink is a second entry with the first one's content.
func (f *flattened) hardlink(target string) (*file, error) {
	name, err := cleanName(target)
	if err != nil {
		return nil, err
	}
	dir, base := path.Split(name)
	if dir, err = f.resolve(dir); err != nil {
		return nil, err
	}
	old := f.files[path.Join(dir, base)]
	if old == nil || old.mode.IsDir() {
		return nil, fmt.Errorf("its target %q is no file of the image", target)
	}
	e := *old
	e.layer = f.layer
	return &e, nil
}

func xattrs(h *tar.Header) map[string]string {
	var out map[string]string
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, xattrRecord)
		if !ok || strings.HasPrefix(name, "trusted.") || strings.HasPrefix(name, "user.overlay.") {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = value
	}
	return out
}
