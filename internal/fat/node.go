package fat

import (
	"fmt"
	"slices"
	"strings"
)

// maxFileBytes is what the 32 bits of DIR_FileSize hold.
const maxFileBytes = 1<<32 - 1

// node is a directory or file of the volume.
type node struct {
	path     string
	name     string
	short    [11]byte
	dir      bool
	file     File
	children []*node // sorted by name
	first    uint32  // first cluster; 0 for an empty file
}

// buildTree makes the directories, refuses names that FAT cannot hold or tell apart, and gives every node its short name.
func buildTree(files []File) (*node, error) {
	root := &node{dir: true, path: "/"}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if f.Size < 0 || f.Size > maxFileBytes {
			return nil, fmt.Errorf("cannot add %q: FAT holds no file of %d bytes", f.Path, f.Size)
		}
		if err := root.add(f, strings.Split(f.Path, "/")); err != nil {
			return nil, fmt.Errorf("cannot add %q: %w", f.Path, err)
		}
	}
	return root, root.giveShortNames()
}

func (n *node) add(f File, names []string) error {
	name := names[0]
	if err := checkName(name); err != nil {
		return err
	}
	var child *node
	for _, c := range n.children {
		if strings.EqualFold(c.name, name) {
			child = c
		}
	}
	last := len(names) == 1
	switch {
	case child != nil && (last || !child.dir):
		return fmt.Errorf("%q is there already (FAT takes no notice of letter case)", child.path)
	case child == nil:
		child = &node{name: name, path: strings.TrimPrefix(n.path+"/"+name, "//"), dir: !last}
		n.children = append(n.children, child)
	}
	if last {
		child.file = f
		return nil
	}
	return child.add(f, names[1:])
}

func (n *node) giveShortNames() error {
	taken := map[[11]byte]bool{}
	for _, c := range n.children {
		short, err := shortName(c.name, taken)
		if err != nil {
			return fmt.Errorf("cannot add %q: %w", c.path, err)
		}
		c.short = short
		taken[short] = true
	}
	return each(n.children, (*node).giveShortNames)
}
