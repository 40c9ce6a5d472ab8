package fat

import (
	"errors"
	"fmt"
)

// growDirectory gives a directory this many slots, or a few more.
//
// Linking another cluster to the end of the chain would change four bytes that are in use, and a torn write of them leads to nowhere: strict
// readers (EDK2) then refuse the whole directory. So the directory is copied to new clusters, as many as it needs, and its
// home is changed from the old first cluster to the new one. The new one is chosen so that the two numbers differ in a single
// byte, which no power cut can tear. What other directories say about their ".." is put right afterwards; no reader depends on it.
func (v *Volume) growDirectory(d *directory, slots int) (*directory, error) {
	clusters := uint32((int64(slots)*entryBytes + v.clusterBytes - 1) / v.clusterBytes)
	if int64(clusters)*v.clusterBytes > maxDirectoryBytes {
		return nil, fmt.Errorf("%w: directory %q cannot have more entries", ErrNoSpace, d.path)
	}
	first, position, err := v.findTwin(d.first())
	if err != nil {
		return nil, fmt.Errorf("directory %q is full: %w", d.path, err)
	}
	rest, free, err := v.findFree(clusters) // one more than needed, as first may be among them
	if err != nil {
		return nil, err
	}
	bigger := &directory{path: d.path, home: d.home, parent: d.parent, root: d.root, raw: make([]byte, int64(clusters)*v.clusterBytes)}
	bigger.runs = leading(first, rest, clusters)
	copy(bigger.raw, d.raw[:scan(d.raw).end*entryBytes]) // what lies behind the end is no entry
	if !d.root {
		setFirstCluster(bigger.raw, first) // of "."
	}
	if err := v.writeRuns(bigger); err != nil {
		return nil, err
	}
	if err := errors.Join(v.writeChain(bigger.runs), v.flush()); err != nil {
		return nil, err
	}
	for _, field := range d.home {
		if err := v.write([]byte{byte(first >> (8 * position))}, field[position], "first cluster of directory"); err != nil {
			return nil, err
		}
		if err := v.flush(); err != nil {
			return nil, err
		}
	}
	if d.root {
		v.layout.root = first
	}
	return bigger, v.leaveDirectory(d, bigger, free-clusters)
}

// leaveDirectory frees the old clusters of a directory that has moved, and leads its children to the new ones.
func (v *Volume) leaveDirectory(old, now *directory, free uint32) error {
	for _, r := range scan(now.raw).records {
		if !r.dir() || now.root {
			continue
		}
		if err := v.writeParent(r.first, now.first()); err != nil {
			return err
		}
	}
	return errors.Join(v.freeChain(old.runs), v.writeFreeCount(free+countClusters(old.runs), now.first()), v.flush())
}

// writeParent sets the ".." of the directory that begins in cluster; it is the second entry (fatgen103, "FAT Directory Structure").
func (v *Volume) writeParent(cluster, parent uint32) error {
	if !v.valid(cluster) {
		return nil
	}
	entry := make([]byte, entryBytes)
	at := v.clusterOffset(cluster) + entryBytes
	if err := readFull(v.device, entry, at); err != nil {
		return err
	}
	if entry[0] != '.' || entry[1] != '.' {
		return nil
	}
	setFirstCluster(entry, parent)
	return v.write(entry, at, "parent of directory")
}

// findTwin finds a free cluster whose number differs from that of another in one byte, and says in which, the lowest being 0.
func (v *Volume) findTwin(of uint32) (cluster uint32, position int, err error) {
	table := tableReader{v: v}
	for position = range 4 {
		for value := range uint32(256) {
			cluster = of&^(0xff<<(8*position)) | value<<(8*position)
			if cluster == of || !v.valid(cluster) {
				continue
			}
			entry, err := table.next(cluster)
			if err != nil {
				return 0, 0, err
			}
			if entry == 0 {
				return cluster, position, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("%w: no free cluster has a number like %d", ErrNoSpace, of)
}

// leading returns runs of count clusters that begin with first.
func leading(first uint32, rest []extent, count uint32) []extent {
	runs := []extent{{first, 1}}
	for _, run := range rest {
		for cluster := run.first; cluster < run.end() && countClusters(runs) < count; cluster++ {
			if cluster != first {
				runs = add(runs, extent{cluster, 1})
			}
		}
	}
	return runs
}

func (v *Volume) writeRuns(d *directory) error {
	raw := d.raw
	for _, run := range d.runs {
		length := int64(run.count) * v.clusterBytes
		if err := v.write(raw[:length], v.clusterOffset(run.first), "directory"); err != nil {
			return err
		}
		raw = raw[length:]
	}
	return nil
}
