// Package slots is the boot disk as updates see it: two places for a version, each a root and a verity partition with a boot entry (UKI) on the
// ESP, and the writes that stage, arm, commit, reject and roll back a version.
//
//	table + boot entries + root hash of the running system -> Observe -> two Slots             pure
//	Begin ─ remove the other entry, placeholders as PARTUUIDs
//	  (the bytes are written by agent/update/transfer)
//	Seal ── flush, read back from the medium and verify, PARTUUIDs, entry under a temporary name, read back, rename to +0
//	Arm, Commit, Reject, Prefer ─ renames
//	Repair ─ what a power cut left of any of these
//
// Everything it knows stands on the disk: PARTUUIDs, names and contents of boot entries. A record beside it could be of another mind after a
// power cut. EFI variables are neither read nor written.
//
// Invariants, held by TestPowerCuts for every prefix, reordering and torn sector of every operation, and TestPowerCutsFindMistakes holds it to that:
//   - At every moment the loader's choice is a version that is there as a whole.
//   - The running slot's partitions and table entries are never written; its boot entry is only ever renamed.
//   - Before the rename that commits a step, the version before it boots.
//
// It follows UAPI.1 (Boot Loader Specification, "Boot Counting"), UAPI.2 (Discoverable Partitions Specification: a root's PARTUUID is the first half
// of its root hash, the verity partition's the second) and UAPI.10 for the order of versions. Writing the ESP through the kernel's vfat was
// rejected: a mounted vfat gives no say in the order of its writes, and marks the volume dirty while it is mounted.
package slots

import (
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/bls"
)

// EntryDirectory is where boot entries lie on the ESP (UAPI.1, "Type #2 EFI Unified Kernel Images").
const EntryDirectory = "EFI/Linux"

// EntryPrefix begins the names of our entries; others are left alone.
const EntryPrefix = "stele"

// Slot is what one slot holds.
type Slot struct {
	state.Slot
	// Entry is the file name of its boot entry; empty: there is none.
	Entry string
	// RootBytes and VerityBytes are the room it has.
	RootBytes, VerityBytes int64

	name bls.Name
	// strays are entries that boot nothing on this disk, kept with the slot that is not running.
	strays []string
	// orphaned: it holds a hash tree and PARTUUIDs of a version, and no entry.
	orphaned bool
}

// Counted tells whether the entry has a boot counter: the version has not proven itself.
func (s Slot) Counted() bool { return s.name.Counted }

// Running returns the slot the machine runs from, and the other one; false where it runs from neither.
func Running(slots [2]Slot) (running, other Slot, ok bool) {
	switch {
	case slots[0].Slot.Running:
		return slots[0], slots[1], true
	case slots[1].Slot.Running:
		return slots[1], slots[0], true
	}
	return Slot{}, Slot{}, false
}
