package bls

import (
	"cmp"
	"slices"
	"strings"
)

// Entry is a Type 2 entry as the loader sees it.
type Entry struct {
	// File is the name in EFI/Linux.
	File string
	// SortKey and Version come from the UKI's os-release; both may be empty.
	SortKey, Version string
}

// Sort puts names into the loader's order: the first is started.
func Sort(names []Name) {
	slices.SortStableFunc(names, func(a, b Name) int { return CompareEntries(a.Entry(), b.Entry()) })
}

// Choose returns the name that the loader starts; false when there is none.
func Choose(names []Name) (Name, bool) {
	if len(names) == 0 {
		return Name{}, false
	}
	sorted := slices.Clone(names)
	Sort(sorted)
	return sorted[0], true
}

// SortEntries puts entries into the loader's order.
func SortEntries(entries []Entry) { slices.SortStableFunc(entries, CompareEntries) }

// CompareEntries is the loader's boot_entry_compare: bad entries last, then those with a sort key, then by sort key, version (the newer first), and
// file name without counter, the greater first. Type 2 entries have no machine ID. Of two counted entries that are equal so far, the one with more tries left stands
// first, then the one with fewer tries done; a counted and a good one stay in the order in which they lie in the directory.
// (TestLoaderChoosesAsTheModel in test/powercut asks the loader itself.)
func CompareEntries(a, b Entry) int {
	aLeft, aDone, aCounted := Tries(a.File)
	bLeft, bDone, bCounted := Tries(b.File)
	return cmp.Or(
		cmp.Compare(bit(aCounted && aLeft == 0), bit(bCounted && bLeft == 0)),
		cmp.Compare(bit(a.SortKey == ""), bit(b.SortKey == "")),
		strings.Compare(a.SortKey, b.SortKey),
		compareVersions(a, b),
		-Compare(id(a.File, aCounted), id(b.File, bCounted)),
		compareTries(aCounted && bCounted, aLeft, bLeft, aDone, bDone),
	)
}

// id is what the loader calls the entry.
func id(file string, counted bool) string {
	if counted {
		file = file[:strings.LastIndexByte(file, '+')] + suffix
	}
	return strings.ToLower(file)
}

// compareVersions counts only where both entries have a sort key.
func compareVersions(a, b Entry) int {
	if a.SortKey == "" {
		return 0
	}
	return -Compare(a.Version, b.Version)
}

func compareTries(both bool, aLeft, bLeft, aDone, bDone int) int {
	if !both {
		return 0
	}
	return cmp.Or(cmp.Compare(bLeft, aLeft), cmp.Compare(aDone, bDone))
}
