package fat

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// maxDirectoryBytes bounds a directory (fatgen103, "FAT Directory Structure" has no figure for FAT32; Windows and Linux take 65536 entries).
const maxDirectoryBytes = 65536 * entryBytes

// directory is a directory in memory.
type directory struct {
	path string
	runs []extent
	raw  []byte
	// home is where its first cluster's number is written.
	home []clusterField
	// parent is the first cluster of the directory above; 0 for the root, and below the root.
	parent uint32
	root   bool
}

// openDirectory walks down from the root.
func (v *Volume) openDirectory(name string) (*directory, error) {
	d, err := v.readDirectory(v.layout.root, "")
	if err != nil {
		return nil, err
	}
	d.root, d.home = true, v.rootFields
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '/' }) {
		found := scan(d.raw)
		r := found.find(part)
		switch {
		case r == nil:
			return nil, fmt.Errorf("directory %q: %w", join(d.path, part), fs.ErrNotExist)
		case !r.dir():
			return nil, fmt.Errorf("%q is no directory", join(d.path, part))
		}
		if d, err = v.readChild(d, *r); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// readChild reads the directory that an entry of d leads to.
func (v *Volume) readChild(d *directory, r record) (*directory, error) {
	child, err := v.readDirectory(r.first, join(d.path, r.name))
	if err != nil {
		return nil, err
	}
	at := v.slotOffset(d, r.at)
	child.home = []clusterField{{at + 26, at + 27, at + 20, at + 21}}
	if !d.root {
		child.parent = d.first()
	}
	return child, nil
}

func (v *Volume) readDirectory(first uint32, name string) (*directory, error) {
	runs, err := v.chain(first, uint32(maxDirectoryBytes/v.clusterBytes))
	if err != nil {
		return nil, fmt.Errorf("cannot read directory %q: %w", name, err)
	}
	d := &directory{path: name, runs: runs, raw: make([]byte, int64(countClusters(runs))*v.clusterBytes)}
	if _, err := (chainReader{v, runs}).ReadAt(d.raw, 0); err != nil {
		return nil, fmt.Errorf("cannot read directory %q: %w", name, err)
	}
	return d, nil
}

func (d *directory) first() uint32 { return d.runs[0].first }

func (d *directory) slots() int { return len(d.raw) / entryBytes }

// slotOffset is where a slot lies on the device.
func (v *Volume) slotOffset(d *directory, slot int) int64 {
	at := int64(slot) * entryBytes
	for _, run := range d.runs {
		if length := int64(run.count) * v.clusterBytes; at >= length {
			at -= length
			continue
		}
		return v.clusterOffset(run.first) + at
	}
	panic("slot behind the end of a directory") // the callers count in slots of d.raw, which is as long as its runs
}

func join(dir, name string) string { return strings.TrimPrefix(dir+"/"+name, "/") }

var errDirectory = errors.New("it is a directory")
