package fat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/block"
)

// Volume is an existing FAT32 file system. It keeps nothing in memory between calls but where its areas lie, so that it sees what
// others changed in the meantime; but nobody else may change the volume during a call. See the package documentation for what holds
// when the power goes.
type Volume struct {
	device block.Device
	layout
	// Now gives the time of new entries; nil means the first day FAT knows, 1980-01-01.
	Now func() time.Time
}

// Entry is a file or directory.
type Entry struct {
	Name         string
	Dir          bool
	SizeBytes    int64
	FirstCluster uint32 // 0: empty
}

// ErrNoSpace is a volume that is too full.
var ErrNoSpace = errors.New("not enough space")

// Open opens the volume on d. Nothing is written.
func Open(d block.Device) (*Volume, error) {
	l, err := readLayout(d)
	if err != nil {
		return nil, fmt.Errorf("cannot open FAT volume: %w", err)
	}
	return &Volume{device: d, layout: l}, nil
}

// List returns the entries of a directory, such as "EFI/Linux", in the order they lie in; "" is the root.
func (v *Volume) List(dir string) ([]Entry, error) {
	d, err := v.openDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list %q: %w", dir, err)
	}
	var entries []Entry
	for _, r := range scan(d.raw).records {
		e := Entry{Name: r.name, Dir: r.dir(), FirstCluster: r.first}
		if !e.Dir {
			e.SizeBytes = r.size
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// OpenFile returns the content of a file. It stays valid until the file is removed.
func (v *Volume) OpenFile(name string) (*io.SectionReader, error) {
	_, r, err := v.lookup(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open %q: %w", name, err)
	}
	runs, err := v.contentOf(*r)
	if err != nil {
		return nil, fmt.Errorf("cannot open %q: %w", name, err)
	}
	return io.NewSectionReader(chainReader{v, runs}, 0, r.size), nil
}

// contentOf returns a file's clusters, which must be as many as its size says.
func (v *Volume) contentOf(r record) ([]extent, error) {
	if r.first == 0 && r.size == 0 {
		return nil, nil
	}
	runs, err := v.chain(r.first, v.clusters)
	if err == nil && int64(countClusters(runs))*v.clusterBytes < r.size {
		err = fmt.Errorf("%d bytes are said to be in %d clusters of %d", r.size, countClusters(runs), v.clusterBytes)
	}
	return runs, err
}

// FreeBytes counts what new files may take, by the allocation table.
func (v *Volume) FreeBytes() (int64, error) {
	free := int64(0)
	err := v.eachEntry(func(run extent, value uint32) {
		if value == 0 {
			free += int64(run.count)
		}
	})
	if err != nil {
		return 0, fmt.Errorf("cannot count free space of FAT volume: %w", err)
	}
	return free * v.clusterBytes, nil
}

// lookup finds a file and the directory it is in.
func (v *Volume) lookup(name string) (*directory, *record, error) {
	parent, base := path.Split(name)
	d, err := v.openDirectory(strings.Trim(parent, "/"))
	if err != nil {
		return nil, nil, err
	}
	found := scan(d.raw)
	r := found.find(base)
	switch {
	case r == nil:
		return nil, nil, fs.ErrNotExist
	case r.dir():
		return nil, nil, errDirectory
	}
	return d, r, nil
}

func (v *Volume) flush() error {
	if err := v.device.Flush(); err != nil {
		return fmt.Errorf("cannot flush: %w", err)
	}
	return nil
}

func (v *Volume) write(b []byte, at int64, what string) error {
	if _, err := v.device.WriteAt(b, at); err != nil {
		return fmt.Errorf("cannot write %s: %w", what, err)
	}
	return nil
}

func (v *Volume) now() time.Time {
	if v.Now == nil {
		return time.Time{}
	}
	return v.Now()
}
