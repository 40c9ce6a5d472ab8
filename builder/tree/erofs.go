package tree

import (
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/erofs/go-erofs"
)

// Image is where a file system is written; an *os.File is one.
type Image interface {
	io.WriteSeeker
	io.ReaderAt
	io.WriterAt
}

// WriteEROFS writes the tree as an uncompressed EROFS file system of 4 KiB blocks. All times are buildTime, which lets go-erofs
// use its small inodes. The same tree gives the same bytes.
func (t *Tree) WriteEROFS(w Image, buildTime time.Time) error {
	writer := erofs.Create(w, erofs.WithBuildTime(uint64(buildTime.Unix()), 0), erofs.WithBlockSize(4096))
	// CopyFrom streams contents straight into the image; adding file by file would spool them to disk first.
	if err := writer.CopyFrom(newView(t, buildTime)); err != nil {
		return fmt.Errorf("cannot write EROFS: %w", err)
	}
	if err := writer.Close(); err != nil {
		return fmt.Errorf("cannot write EROFS: %w", err)
	}
	if err := t.linkHard(w); err != nil {
		return fmt.Errorf("cannot write EROFS: %w", err)
	}
	return nil
}

// view shows a tree as the file system that go-erofs copies from.
type view struct {
	nodes    map[string]*viewNode
	modified time.Time
}

// viewNode is fs.FileInfo and fs.DirEntry of one entry.
type viewNode struct {
	Entry
	name     string
	modified time.Time
	children []fs.DirEntry
	links    int
}

func newView(t *Tree, modified time.Time) *view {
	v := &view{nodes: map[string]*viewNode{}, modified: modified}
	for _, e := range t.Entries() { // a parent comes before its children
		n := &viewNode{Entry: e, name: viewName(e.Path), modified: modified, links: 1}
		if e.Path == "/" {
			n.links = 2
		}
		if e.HardLink != "" {
			n.Entry.Size = 0 // an empty file until linkHard gives the name its file
		}
		v.nodes[n.name] = n
		if e.Path != "/" {
			parent := v.nodes[parentName(n.name)]
			parent.children = append(parent.children, n)
			if e.Mode.IsDir() {
				n.links = 2 // its name and its "."
				parent.links++
			}
		}
	}
	for _, n := range v.nodes {
		if n.HardLink != "" {
			v.nodes[viewName(n.HardLink)].links++
		}
	}
	return v
}
