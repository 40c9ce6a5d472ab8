package dmlog

import (
	"math/rand/v2"
	"slices"
)

// Point is a moment: after the first Entries operations.
type Point struct {
	Entries int
	// Flushed: the last of them is a flush, so all of them are on the medium. Otherwise it is the disk of a cache that writes in order.
	Flushed bool
}

// Points chooses up to n moments of a log from an entry on: the last one, then half of them flushes and half of them writes, chosen by the seed and in their order.
func (l *Log) Points(n int, from int, seed uint64) []Point {
	if n <= 0 || from >= len(l.Entries) {
		return nil
	}
	var flushes, writes []int
	for i, e := range l.Entries[:len(l.Entries)-1] {
		switch {
		case i < from || e.Flags&Mark != 0:
		case e.Flags&Flush != 0:
			flushes = append(flushes, i+1)
		default:
			writes = append(writes, i+1)
		}
	}
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	pick := func(list []int, count int) []int {
		random.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
		return list[:min(max(count, 0), len(list))]
	}
	chosen := pick(flushes, (n-1)/2)
	chosen = append(chosen, pick(writes, n-1-len(chosen))...)
	chosen = append(chosen, len(l.Entries))
	slices.Sort(chosen)
	points := make([]Point, len(chosen))
	for i, entries := range chosen {
		points[i] = Point{entries, l.Entries[entries-1].Flags&Flush != 0}
	}
	return points
}
