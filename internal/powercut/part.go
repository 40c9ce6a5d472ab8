package powercut

import (
	"bytes"
	"slices"

	"github.com/stele-os/stele/internal/block"
)

// partWrites: of each write any sectors, with the writes before it whole, with all others whole, and with none of the others.
func (e *explorer) partWrites() error {
	for w := range e.w.writes {
		for _, around := range e.arounds(w) {
			changed, err := e.changed(w, around)
			if err != nil {
				return err
			}
			for _, chosen := range e.sectorSets(changed) {
				if err := e.try(sectors, around.with(part{write: w, sectors: chosen})); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// arounds are the choices of the other writes in which a part of write w is tried.
func (e *explorer) arounds(w int) []choice {
	n := len(e.w.writes)
	list := []choice{whole(w, all)}
	if n > 1 {
		list = append(list, whole(n, func(i int) bool { return i != w }))
	}
	if w > 0 {
		list = append(list, nil)
	}
	return list
}

// changed lists the sectors of write w that differ from what lies on the disk when the writes around it are done.
func (e *explorer) changed(w int, around choice) ([]int, error) {
	disk := e.start.Clone()
	if err := around.apply(disk, e.w.writes); err != nil {
		return nil, err
	}
	return changedSectors(disk, e.w.writes[w])
}

func changedSectors(disk *block.Memory, op Op) ([]int, error) {
	var changed []int
	old := make([]byte, disk.SectorSize())
	for i := range sectorCount(op, disk.SectorSize()) {
		data, at := sectorOf(op, i, disk.SectorSize())
		if _, err := disk.ReadAt(old[:len(data)], at); err != nil {
			return nil, err
		}
		if !bytes.Equal(data, old[:len(data)]) {
			changed = append(changed, i)
		}
	}
	return changed, nil
}

// sectorSets are the subsets of sectors to try: all where they are few; else, around a sample of them, those before, those behind, all others, and it alone,
// and some at random.
func (e *explorer) sectorSets(changed []int) [][]int {
	n := len(changed)
	var sets [][]int
	pick := func(has func(i int) bool) {
		set := []int{}
		for i, s := range changed {
			if has(i) {
				set = append(set, s)
			}
		}
		sets = append(sets, set)
	}
	if n <= e.options.AllSubsets {
		for bits := 1; bits < 1<<n-1; bits++ {
			pick(func(i int) bool { return bits>>i&1 == 1 })
		}
		return sets
	}
	for _, k := range e.sample(n) {
		pick(func(i int) bool { return i < k })
		pick(func(i int) bool { return i >= k })
		pick(func(i int) bool { return i != k })
		pick(func(i int) bool { return i == k })
		pick(func(int) bool { return e.w.random.IntN(2) == 0 })
	}
	return sets
}

// sample chooses up to MaxSectors of n things: all, or the first, the last and random ones.
func (e *explorer) sample(n int) []int {
	limit := e.options.MaxSectors
	if n <= limit {
		limit = n
	}
	chosen := e.w.random.Perm(n)[:limit]
	if limit > 1 {
		chosen[0], chosen[1] = 0, n-1
	}
	slices.Sort(chosen)
	return slices.Compact(chosen)
}
