// Package tree describes a root file system as data: entries with fixed owners, modes and times, sorted, collisions refused.
//
// It is not a directory on disk: nothing is staged, nothing needs root. Contents are opened when the writer asks for them.
//
// Invariants, held by Tree.Add and TestAddRefuses: below v1alpha1.BakedImagesPath an OCI image keeps its own modes, owners,
// devices and extended attributes; everywhere else all belongs to 0:0, nothing is setuid, setgid or sticky, there are only files,
// directories and symbolic links, only AgentPath and RuncPath are executable, and write bits are cleared.
package tree

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
)

// Entry is one file, directory, symbolic link or device of the root.
type Entry struct {
	// Path is absolute and clean, such as "/etc/os-release".
	Path string
	// Mode holds type and permission bits (io/fs), setuid, setgid and sticky included.
	Mode     fs.FileMode
	UID, GID uint32
	// Size and Open give a regular file's content. Open may be called more than once.
	Size int64
	Open func() (io.ReadCloser, error)
	// HardLink is the path of another file of the same baked image, added before, that this is one more name of. Mode, owner,
	// size, content and attributes are then that file's.
	HardLink string
	// Target of a symbolic link.
	Target string
	// Rdev of a device node.
	Rdev uint64
	// Xattrs by full name, such as "security.capability".
	Xattrs map[string]string
}

// directoryMode is what directories have that nobody asked for by name.
const directoryMode = fs.ModeDir | 0o555

// Tree is a root file system. Make one with New.
type Tree struct {
	nodes map[string]*node
}

type node struct {
	Entry
	// origin says who asked for the entry; implied ones are parents that nobody asked for by name yet.
	origin  string
	implied bool
}

// New returns a tree that holds "/" alone.
func New() *Tree {
	root := &node{Entry: Entry{Path: "/", Mode: directoryMode}, origin: "the root", implied: true}
	return &Tree{nodes: map[string]*node{"/": root}}
}

// Add adds entries and the directories above them. origin names who asks for them, for the error of a collision. A directory
// may be asked for twice if both agree about it.
func (t *Tree) Add(origin string, entries ...Entry) error {
	for _, e := range entries {
		if err := t.add(origin, e); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tree) add(origin string, e Entry) error {
	e, err := t.followHardLink(readOnly(e))
	if err == nil {
		err = check(e)
	}
	if err != nil {
		return fmt.Errorf("cannot add %q (from %s) to the root: %w", e.Path, origin, err)
	}
	if err := t.addParents(origin, path.Dir(e.Path)); err != nil {
		return fmt.Errorf("cannot add %q (from %s) to the root: %w", e.Path, origin, err)
	}
	old := t.nodes[e.Path]
	switch {
	case old == nil, old.implied && e.Mode.IsDir():
		t.nodes[e.Path] = &node{Entry: e, origin: origin}
		return nil
	case sameDirectory(old.Entry, e):
		return nil
	}
	return fmt.Errorf("cannot add %q (from %s) to the root: %s has put a %s of mode %v there", e.Path, origin, old.origin, kind(old.Mode), old.Mode)
}

// addParents makes directories where nothing is, and refuses to pass through anything else.
func (t *Tree) addParents(origin, dir string) error {
	for ; ; dir = path.Dir(dir) {
		n := t.nodes[dir]
		if n == nil {
			t.nodes[dir] = &node{Entry: Entry{Path: dir, Mode: directoryMode}, origin: origin, implied: true}
			continue
		}
		if !n.Mode.IsDir() {
			return fmt.Errorf("%q (from %s) is a %s, not a directory", dir, n.origin, kind(n.Mode))
		}
		return nil
	}
}

func sameDirectory(a, b Entry) bool {
	return a.Mode.IsDir() && a.Mode == b.Mode && a.UID == b.UID && a.GID == b.GID && maps.Equal(a.Xattrs, b.Xattrs)
}

// Entries returns all entries sorted by path, "/" first.
func (t *Tree) Entries() []Entry {
	var entries []Entry
	for _, p := range slices.Sorted(maps.Keys(t.nodes)) {
		entries = append(entries, t.nodes[p].Entry)
	}
	return entries
}

// Lookup returns the entry at a path.
func (t *Tree) Lookup(p string) (Entry, bool) {
	n, ok := t.nodes[p]
	if !ok {
		return Entry{}, false
	}
	return n.Entry, true
}

// inBakedImage says whether the path belongs to an OCI image, which makes its own rules.
func inBakedImage(p string) bool {
	return strings.HasPrefix(p, v1alpha1.BakedImagesPath+"/")
}
