package fat

import (
	"errors"
	"fmt"
)

const (
	// maxDepth bounds directories in directories; a path of Windows has at most 260 characters.
	maxDepth = 130
	// maxProblems is how many problems are worth telling.
	maxProblems = 16
)

// survey is which clusters the entries of a volume lead to.
type survey struct {
	v        *Volume
	used     []uint64 // a bit for each cluster
	table    tableReader
	problems []error
	// parents are the directories whose ".." is not what it should be, and what it should be.
	parents map[uint32]uint32
}

// repairTree looks at every directory, frees the clusters that nothing leads to, and counts.
func (v *Volume) repairTree(*directory) (done []string, err error) {
	s := survey{v: v, table: tableReader{v: v}, used: make([]uint64, (v.clusters+2+63)/64), parents: map[uint32]uint32{}}
	if err := s.directories(); err != nil {
		return nil, errors.Join(append(s.problems, err)...)
	}
	for cluster, parent := range s.parents {
		if err := v.writeParent(cluster, parent); err != nil {
			return nil, err
		}
		done = append(done, "corrected the parent of a directory")
	}
	lost, free, err := s.lost()
	if err != nil {
		return done, err
	}
	if err := v.freeChain(lost); err != nil {
		return done, err
	}
	if n := countClusters(lost); n > 0 {
		done, free = append(done, fmt.Sprintf("freed %d lost clusters", n)), free+n
	}
	said, err := v.repairFreeCount(free)
	done = append(done, said...)
	if err == nil && len(done) > 0 {
		err = v.flush()
	}
	return done, errors.Join(append(s.problems, err)...)
}

// directories visits every directory once, and marks what its entries lead to. A bad directory ends it: what lies below is unknown.
func (s *survey) directories() error {
	level := []*directory{{root: true, runs: []extent{{s.v.layout.root, 1}}}}
	if err := s.follow(s.v.layout.root); err != nil {
		return fmt.Errorf("cannot read the root directory: %w", err)
	}
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxDepth {
			return fmt.Errorf("directory %q lies too deep", level[0].path)
		}
		var below []*directory
		for _, d := range level {
			children, err := s.entries(d)
			if err != nil {
				return err
			}
			below = append(below, children...)
		}
		level = below
	}
	return nil
}

// entries marks what the entries of a directory lead to, and returns its directories.
func (s *survey) entries(d *directory) (children []*directory, err error) {
	full, err := s.v.readDirectory(d.first(), d.path)
	if err != nil {
		return nil, err
	}
	found := scan(full.raw)
	s.checkDots(d, found)
	for _, r := range found.records {
		name := join(d.path, r.name)
		if r.first == 0 && !r.dir() {
			continue
		}
		err := s.follow(r.first)
		switch {
		case err == nil && r.dir():
			child := &directory{path: name, runs: []extent{{r.first, 1}}}
			if !d.root {
				child.parent = d.first()
			}
			children = append(children, child)
		case r.dir():
			return nil, fmt.Errorf("cannot read directory %q: %w", name, err)
		case err != nil && len(s.problems) < maxProblems:
			s.problems = append(s.problems, fmt.Errorf("%q: %w", name, err))
		}
	}
	return children, nil
}

// follow marks the clusters of a chain. It stops at one that is marked, so that all chains together take no longer than the table.
func (s *survey) follow(cluster uint32) (err error) {
	for {
		bit := uint64(1) << (cluster % 64)
		switch {
		case !s.v.valid(cluster):
			return fmt.Errorf("its chain of clusters is broken: cluster %d of %d follows", cluster, s.v.clusters)
		case s.used[cluster/64]&bit != 0:
			return fmt.Errorf("its chain of clusters runs in a circle, or into that of another file, at cluster %d", cluster)
		}
		s.used[cluster/64] |= bit
		if cluster, err = s.table.next(cluster); err != nil || cluster > badCluster {
			return err
		}
	}
}

func (s *survey) checkDots(d *directory, found listing) {
	for _, dot := range found.dots {
		if dot.short == packShort("..", "") && dot.first != d.parent && !d.root {
			s.parents[d.first()] = d.parent
		}
	}
}

// lost are clusters that are in use by the table and by nobody else, and free is the number of those that are not in use.
func (s *survey) lost() (runs []extent, free uint32, err error) {
	err = s.v.eachEntry(func(run extent, value uint32) {
		switch {
		case value == 0:
			free += run.count
		case value != badCluster && s.used[run.first/64]&(1<<(run.first%64)) == 0:
			runs = add(runs, run)
		}
	})
	return runs, free, err
}

// repairFreeCount corrects FSInfo.
func (v *Volume) repairFreeCount(free uint32) ([]string, error) {
	if v.info == 0 {
		return nil, nil
	}
	b := make([]byte, 4)
	if err := readFull(v.device, b, v.info+infoFreeOffset); err != nil || le.Uint32(b) == free {
		return nil, err
	}
	if err := v.writeFreeCount(free, 2); err != nil {
		return nil, err
	}
	return []string{"counted free space"}, nil
}
