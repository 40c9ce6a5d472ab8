package fat

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/powercut"
)

// everyTear tears each sector that a window changes at every byte that differs: the sector as it is after the window, for it is sectors that
// are written, not the bytes that a program changes; with the other sectors of the window old, and new.
func everyTear(base *block.Memory, log powercut.Log, visit func(*block.Memory) error) (states int, err error) {
	start := base.Clone()
	for first := 0; first < len(log); {
		last := first
		for last < len(log) && !log[last].Flush() {
			last++
		}
		end := start.Clone()
		if err := log[first:last].Apply(end, last-first); err != nil {
			return states, err
		}
		n, err := tearWindow(start, end, log[first:last], visit)
		if states += n; err != nil {
			return states, fmt.Errorf("operations %d to %d: %w", first, last-1, err)
		}
		start, first = end, last+1
	}
	return states, nil
}

func tearWindow(start, end *block.Memory, writes powercut.Log, visit func(*block.Memory) error) (states int, err error) {
	sectors := map[int64]bool{}
	for _, op := range writes {
		for at := op.Offset / 512; at <= (op.Offset+int64(len(op.Data))-1)/512; at++ {
			sectors[at] = true
		}
	}
	for _, sector := range slices.Sorted(maps.Keys(sectors)) {
		before, after := make([]byte, 512), make([]byte, 512)
		if err := errors.Join(readFull(start, before, sector*512), readFull(end, after, sector*512)); err != nil {
			return states, err
		}
		seen := map[string]bool{string(before): true, string(after): true} // these are not torn
		for _, mixed := range mixes(before, after) {
			if seen[string(mixed)] {
				continue
			}
			seen[string(mixed)] = true
			for _, around := range []*block.Memory{start, end} {
				d := around.Clone()
				if _, err := d.WriteAt(mixed, sector*512); err != nil {
					return states, err
				}
				if err := visit(d); err != nil {
					return states, fmt.Errorf("sector %d: %w", sector, err)
				}
				states++
			}
		}
	}
	return states, nil
}

// mixes are the beginnings and the ends of after with the rest of before, and single words of 8 bytes. Of sectors full of differences (content
// of files) a few are enough.
func mixes(before, after []byte) (all [][]byte) {
	var differ []int
	for i := range before {
		if before[i] != after[i] {
			differ = append(differ, i)
		}
	}
	if len(differ) > 130 {
		differ = []int{differ[0], differ[len(differ)/2], differ[len(differ)-1]}
	}
	for n, i := range differ {
		if n > 0 {
			all = append(all, slices.Concat(after[:i], before[i:]), slices.Concat(before[:i], after[i:]))
		}
		word := i &^ 7
		all = append(all, slices.Concat(before[:word], after[word:word+8], before[word+8:]))
	}
	return all
}
