package dmlog

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Point is a moment: after the first Entries operations.
type Point struct {
	Entries int
	// Flushed: the last of them is a flush, so all of them are on the medium. Otherwise it is the disk of a cache that writes in order.
	Flushed bool
	// Class of the last operation.
	Class string
}

// Classify names the class of each entry: what of says of an operation on a range, and for a flush alone the class of what was written before it. Marks have none.
func (l *Log) Classify(of func(Entry) string) []string {
	classes := make([]string, len(l.Entries))
	last := ""
	for i, e := range l.Entries {
		switch {
		case e.Flags&Mark != 0:
			continue
		case e.Bytes > 0:
			last = of(e)
		}
		classes[i] = last
	}
	return classes
}

// Points chooses up to n moments of a log whose entries have these classes, in their order: the last one, and others by the seed. It goes round the classes in the
// order of turns, in which a class may stand more than once, and takes a flush and a write of it by turns. Classes that are not named have no turn.
func (l *Log) Points(n int, seed uint64, classes, turns []string) []Point {
	if n <= 0 || len(l.Entries) == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(seed, 0))
	left := l.candidates(classes)
	for _, class := range slices.Sorted(maps.Keys(left)) {
		for _, list := range left[class] {
			random.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
		}
	}
	chosen := []int{len(l.Entries)}
	for turn, misses := random.IntN(max(len(turns), 1)), 0; len(chosen) < n && misses < len(turns); turn++ {
		c := left[turns[turn%len(turns)]]
		i := max(slices.IndexFunc(c, func(list []int) bool { return len(list) > 0 }), 0)
		if len(c) == 0 || len(c[i]) == 0 {
			misses++
			continue
		}
		misses = 0
		chosen = append(chosen, c[i][0])
		c[i] = c[i][1:]
		slices.Reverse(c)
	}
	slices.Sort(chosen)
	points := make([]Point, len(chosen))
	for i, entries := range chosen {
		points[i] = Point{entries, l.Entries[entries-1].Flags&Flush != 0, classes[entries-1]}
	}
	return points
}

// candidates are the moments of each class, those behind flushes and those behind writes. The last moment is not among them.
func (l *Log) candidates(classes []string) map[string][][]int {
	left := map[string][][]int{}
	for i, e := range l.Entries[:len(l.Entries)-1] {
		class := classes[i]
		if class == "" {
			continue
		}
		if left[class] == nil {
			left[class] = make([][]int, 2)
		}
		kind := 1
		if e.Flags&Flush != 0 {
			kind = 0
		}
		left[class][kind] = append(left[class][kind], i+1)
	}
	return left
}
