package fat

import (
	"fmt"
	"io"
)

// extent is a run of clusters.
type extent struct{ first, count uint32 }

func (e extent) end() uint32 { return e.first + e.count }

func add(runs []extent, run extent) []extent {
	if last := len(runs) - 1; last >= 0 && runs[last].end() == run.first {
		runs[last].count += run.count
		return runs
	}
	return append(runs, run)
}

func countClusters(runs []extent) (n uint32) {
	for _, r := range runs {
		n += r.count
	}
	return n
}

// chain follows a chain from its first cluster to its end. One of more than limit clusters, or one that leaves the volume, is an error.
func (v *Volume) chain(first, limit uint32) (runs []extent, err error) {
	table := tableReader{v: v}
	for cluster, n := first, uint32(0); ; n++ {
		switch {
		case cluster > badCluster && n > 0:
			return runs, nil
		case !v.valid(cluster):
			return runs, fmt.Errorf("its chain of clusters is broken: cluster %d of %d follows", cluster, v.clusters)
		case n == limit:
			return runs, fmt.Errorf("its chain of clusters is longer than %d, or runs in a circle", limit)
		}
		runs = add(runs, extent{cluster, 1})
		if cluster, err = table.next(cluster); err != nil {
			return runs, err
		}
	}
}

// chainReader reads a chain as one piece.
type chainReader struct {
	v    *Volume
	runs []extent
}

func (c chainReader) ReadAt(p []byte, at int64) (n int, err error) {
	for _, run := range c.runs {
		length := int64(run.count) * c.v.clusterBytes
		if at >= length {
			at -= length
			continue
		}
		part := p[n:min(int64(len(p)), int64(n)+length-at)]
		if err := readFull(c.v.device, part, c.v.clusterOffset(run.first)+at); err != nil {
			return n, err
		}
		n, at = n+len(part), 0
		if n == len(p) {
			return n, nil
		}
	}
	return n, io.EOF
}
