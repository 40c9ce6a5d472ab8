package fat

import "fmt"

// Values of table entries (fatgen103, "FAT Data Structure").
const (
	rootCluster = 2
	mediaEntry  = 0x0ffffff8 // entry 0: BPB_Media in its low byte
	endOfChain  = 0x0fffffff
)

// allocator hands out clusters one after the other and keeps the table.
type allocator struct {
	geometry geometry
	table    []uint32
}

// place gives every directory its clusters, the root first, then every file, so that small directories lie together.
func (a *allocator) place(root *node, p Params) error {
	var directories, files func(n *node) error
	directories = func(n *node) (err error) {
		if !n.dir {
			return nil
		}
		if n.first, err = a.chain(n.directoryBytes(p), n.path); err != nil {
			return err
		}
		return each(n.children, directories)
	}
	files = func(n *node) (err error) {
		if !n.dir && n.file.Size > 0 {
			n.first, err = a.chain(n.file.Size, n.path)
		}
		if err != nil {
			return err
		}
		return each(n.children, files)
	}
	if err := directories(root); err != nil {
		return err
	}
	return files(root)
}

func (a *allocator) chain(sizeBytes int64, path string) (uint32, error) {
	count := (sizeBytes + a.geometry.clusterBytes() - 1) / a.geometry.clusterBytes()
	if free := int64(a.geometry.clusters) - int64(len(a.table)-2); count > free {
		return 0, fmt.Errorf("cannot place %q: it needs %d bytes, %d are free on the FAT volume", path, sizeBytes, free*a.geometry.clusterBytes())
	}
	first := uint32(len(a.table))
	for i := int64(1); i < count; i++ {
		a.table = append(a.table, uint32(len(a.table))+1)
	}
	a.table = append(a.table, endOfChain)
	return first, nil
}

func each(nodes []*node, f func(*node) error) error {
	for _, n := range nodes {
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// writeTables writes the used start of both tables; the rest stays zero, which means free.
func (v writer) writeTables(table []uint32) error {
	b := make([]byte, 0, 4*len(table))
	for _, entry := range table {
		b = le.AppendUint32(b, entry)
	}
	for i := range int64(tables) {
		offset := (int64(v.geometry.reserved) + i*int64(v.geometry.tableSectors)) * sectorSize
		if err := v.writeAt(b, offset, "allocation table"); err != nil {
			return err
		}
	}
	return nil
}
