package tree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
)

// followHardLink gives a hard link everything of the file it names.
func (t *Tree) followHardLink(e Entry) (Entry, error) {
	if e.HardLink == "" {
		return e, nil
	}
	target, ok := t.Lookup(e.HardLink)
	switch {
	case !ok || target.Mode.Type() != 0 || target.HardLink != "":
		return e, fmt.Errorf("its hard link leads to %q, which is no file of the root", e.HardLink)
	case !inBakedImage(e.Path) || bakedImage(e.Path) != bakedImage(e.HardLink):
		return e, errors.New("a hard link may only lie in a baked image, and not leave it")
	}
	link := target
	link.Path, link.HardLink = e.Path, e.HardLink
	return link, nil
}

// bakedImage gives the name of the baked image that a path belongs to.
func bakedImage(p string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(p, v1alpha1.BakedImagesPath+"/"), "/")
	return name
}

// linkHard makes the names of hard links lead to their files. go-erofs has no call for hard links, so they were written as empty
// files; here their directory entries get the number of the right inode. The empty inodes stay behind, 32 bytes each.
func (t *Tree) linkHard(image Image) error {
	var r *erofsReader
	for _, e := range t.Entries() {
		if e.HardLink == "" {
			continue
		}
		if r == nil {
			var err error
			if r, err = openEROFS(image); err != nil {
				return err
			}
		}
		target, err := r.lookup(e.HardLink)
		if err != nil {
			return err
		}
		name, err := r.lookup(e.Path)
		if err != nil {
			return err
		}
		if _, err := image.WriteAt(binary.LittleEndian.AppendUint64(nil, target.nid), name.offset); err != nil {
			return fmt.Errorf("cannot link %q: %w", e.Path, err)
		}
	}
	return nil
}

// On-disk numbers of EROFS (kernel, fs/erofs/erofs_fs.h).
const (
	superOffset   = 1024 // EROFS_SUPER_OFFSET
	superMagic    = 0xe0f5e1e2
	inodeUnit     = 32 // EROFS_ISLOTBITS: a nid counts in these
	direntSize    = 12 // struct erofs_dirent: nid 8, nameoff 2, file type 1, reserved 1
	xattrHeader   = 12 // struct erofs_xattr_ibody_header
	layoutPlain   = 0  // EROFS_INODE_FLAT_PLAIN
	layoutInline  = 2  // EROFS_INODE_FLAT_INLINE: the last partial block follows the inode
	inodeCompact  = 32 // struct erofs_inode_compact
	inodeExtended = 64 // struct erofs_inode_extended
)

// erofsReader finds directory entries in an uncompressed image.
type erofsReader struct {
	r           io.ReaderAt
	blockSize   int64
	metaOffset  int64
	root        uint64
	directories map[string]map[string]dirent
}

// dirent is a directory entry: the inode's number, and where on the image that number stands.
type dirent struct {
	nid    uint64
	offset int64
}

func openEROFS(r io.ReaderAt) (*erofsReader, error) {
	b := make([]byte, 128)
	if _, err := r.ReadAt(b, superOffset); err != nil {
		return nil, fmt.Errorf("cannot read superblock: %w", err)
	}
	le := binary.LittleEndian
	if le.Uint32(b) != superMagic || b[12] < 9 || b[12] > 16 {
		return nil, errors.New("cannot read superblock: this is no EROFS")
	}
	blockSize := int64(1) << b[12]
	return &erofsReader{
		r: r, blockSize: blockSize, root: uint64(le.Uint16(b[14:])), metaOffset: int64(le.Uint32(b[40:])) * blockSize,
		directories: map[string]map[string]dirent{},
	}, nil
}

// lookup walks from the root to the entry of a path.
func (r *erofsReader) lookup(p string) (dirent, error) {
	if p == "/" {
		return dirent{nid: r.root}, nil
	}
	dir := path.Dir(p)
	if r.directories[dir] == nil {
		parent, err := r.lookup(dir)
		if err != nil {
			return dirent{}, err
		}
		if r.directories[dir], err = r.readDirectory(parent.nid); err != nil {
			return dirent{}, fmt.Errorf("cannot read directory %q: %w", dir, err)
		}
	}
	d, ok := r.directories[dir][path.Base(p)]
	if !ok {
		return dirent{}, &fs.PathError{Op: "lookup", Path: p, Err: fs.ErrNotExist}
	}
	return d, nil
}

func (r *erofsReader) readDirectory(nid uint64) (map[string]dirent, error) {
	at := r.metaOffset + int64(nid)*inodeUnit
	b := make([]byte, inodeExtended)
	if _, err := r.r.ReadAt(b, at); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	format, xattrs := le.Uint16(b), int64(le.Uint16(b[2:]))
	size, tail := int64(le.Uint32(b[8:])), at+inodeCompact
	if format&1 == 1 {
		size, tail = int64(le.Uint64(b[8:])), at+inodeExtended
	}
	if xattrs > 0 {
		tail += xattrHeader + 4*(xattrs-1)
	}
	layout := format >> 1 & 7
	if layout != layoutPlain && layout != layoutInline {
		return nil, fmt.Errorf("layout %d is unknown", layout)
	}
	entries, data := map[string]dirent{}, int64(le.Uint32(b[16:]))*r.blockSize
	for done := int64(0); done < size; done += r.blockSize {
		length, offset := min(r.blockSize, size-done), data+done
		if layout == layoutInline && length < r.blockSize {
			offset = tail
		}
		if err := r.readBlock(offset, length, entries); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// readBlock adds the entries of one directory block: first all struct erofs_dirent, then all names.
func (r *erofsReader) readBlock(offset, length int64, entries map[string]dirent) error {
	b := make([]byte, length)
	if _, err := r.r.ReadAt(b, offset); err != nil {
		return err
	}
	le := binary.LittleEndian
	first := int(le.Uint16(b[8:]))
	if length < direntSize || first%direntSize != 0 || first > len(b) {
		return fmt.Errorf("block at byte %d holds no entries", offset)
	}
	for i := 0; i < first; i += direntSize {
		start, end := int(le.Uint16(b[i+8:])), len(b)
		if i+direntSize < first {
			end = int(le.Uint16(b[i+direntSize+8:]))
		}
		if start > end || end > len(b) {
			return fmt.Errorf("block at byte %d holds no entries", offset)
		}
		name := strings.TrimRight(string(b[start:end]), "\x00") // the last name of a block is padded
		entries[name] = dirent{nid: le.Uint64(b[i:]), offset: offset + int64(i)}
	}
	return nil
}
