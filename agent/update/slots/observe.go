package slots

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/gpt"
)

// slotNames are those of state.Slot, by rank on the disk.
var slotNames = [2]string{"a", "b"}

// observe says what the slots hold. What decides is whether a boot entry's root hash and a slot's PARTUUIDs agree, as that is what the kernel
// goes by. runningHash is the root hash of the running system, hex.
func observe(t *gpt.Table, pairs [2]pair, entries []Entry, runningHash string) [2]Slot {
	var observed [2]Slot
	used := map[string]bool{}
	for i, p := range pairs {
		s := Slot{RootBytes: t.SizeBytes(p.root), VerityBytes: t.SizeBytes(p.verity)}
		s.Name, s.Slot.Running = slotNames[i], p.rootHash() == runningHash
		if e, found := best(entries, p.rootHash()); found {
			s.take(e)
			used[e.File] = true
		} else {
			s.describe(p)
		}
		observed[i] = s
	}
	for i := range observed {
		if !observed[i].Slot.Running {
			observed[i].addStrays(entries, used, runningHash)
			break
		}
	}
	return observed
}

// best is the entry that boots this root hash; where a rename was interrupted there may be two, and the loader prefers one that is not bad.
func best(entries []Entry, rootHash string) (Entry, bool) {
	var found []Entry
	for _, e := range entries {
		if e.Err == nil && e.RootHash == rootHash {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return Entry{}, false
	}
	return slices.MinFunc(found, func(a, b Entry) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(b.Name.Left, a.Name.Left), cmp.Compare(a.File, b.File))
	}), true
}

func rank(e Entry) int {
	switch {
	case e.Name.Bad():
		return 2
	case e.Name.Counted:
		return 1
	}
	return 0
}

// take says what a slot with the entry e is.
func (s *Slot) take(e Entry) {
	s.Entry, s.name = e.File, e.Name
	s.Version, s.RootHash, s.Left, s.Done = e.Name.Version, e.RootHash, e.Name.Left, e.Name.Done
	s.SecurityVersion = e.SecurityVersion
	switch {
	case e.Version != e.Name.Version:
		s.State, s.Reason = state.SlotDamaged, fmt.Sprintf("boot entry %q holds version %q", e.File, e.Version)
	case !e.Name.Counted:
		s.State = state.SlotCommitted
	case s.Slot.Running || e.Name.Left > 0:
		s.State = state.SlotTrying
	case e.Name.Done == 0:
		s.State = state.SlotStaged
	default:
		s.State, s.Reason = state.SlotRejected, "its tries are used up, or it was taken back"
	}
}

// describe says what a slot without an entry is.
func (s *Slot) describe(p pair) {
	switch {
	case s.Slot.Running:
		s.State, s.Reason = state.SlotDamaged, "it runs, and no boot entry starts it"
		s.RootHash = p.rootHash()
	case p.cleared():
		s.State = state.SlotWriting
	case p.tree:
		s.State, s.orphaned = state.SlotWriting, true
	default:
		s.State = state.SlotEmpty
	}
}

// addStrays notes entries that boot nothing here. A second name of the running version's entry is none: it is not to be touched.
func (s *Slot) addStrays(entries []Entry, used map[string]bool, runningHash string) {
	for _, e := range entries {
		if used[e.File] || e.Err == nil && e.RootHash == runningHash {
			continue
		}
		s.strays = append(s.strays, e.File)
		if s.Entry != "" || s.State == state.SlotDamaged {
			continue
		}
		s.State, s.Reason = state.SlotDamaged, fmt.Sprintf("boot entry %q starts a root that is on neither slot", e.File)
		if e.Err != nil { // its name is all that it says of itself
			s.Version, s.Left, s.Done = e.Name.Version, e.Name.Left, e.Name.Done
			s.Reason = e.Err.Error()
		}
	}
}
