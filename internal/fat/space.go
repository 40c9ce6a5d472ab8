package fat

import "fmt"

// infoFreeOffset is where FSI_Free_Count lies, and FSI_Nxt_Free behind it.
const infoFreeOffset = 488

// findFree finds count free clusters, in one run where there is one, and tells how many are free in all.
func (v *Volume) findFree(count uint32) (runs []extent, free uint32, err error) {
	var current extent
	var scattered []extent
	err = v.eachEntry(func(run extent, value uint32) {
		if value != 0 {
			return
		}
		if current.end() != run.first {
			current = extent{first: run.first}
		}
		current.count += run.count
		if current.count >= count && runs == nil {
			runs = []extent{{current.first, count}}
		}
		if free < count {
			scattered = add(scattered, extent{run.first, min(run.count, count-free)})
		}
		free += run.count
	})
	switch {
	case err != nil:
		return nil, 0, err
	case free < count:
		return nil, free, fmt.Errorf("%w: it needs %d bytes, %d are free", ErrNoSpace, int64(count)*v.clusterBytes, int64(free)*v.clusterBytes)
	case runs == nil:
		runs = scattered
	}
	return runs, free, nil
}

// writeFreeCount brings FSInfo up to date (fatgen103, "FAT32 FSInfo Sector Structure"). It is written with the tables: readers take it for
// a hint, so it need not be right after a power cut, and Repair counts again.
func (v *Volume) writeFreeCount(free uint32, next uint32) error {
	if v.info == 0 {
		return nil
	}
	b := make([]byte, 8)
	le.PutUint32(b, free)
	le.PutUint32(b[4:], next)
	return v.write(b, v.info+infoFreeOffset, "FSInfo")
}
