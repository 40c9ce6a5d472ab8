// Package slotstate keeps what belongs to one slot's version: its document, and whatever a newer schema has made of it. Each slot has a
// directory of its own, so that going back to the other slot takes the state back, too:
//
//	/var/lib/stele/slots/a/  schema  document/...      what the version in slot a reads and writes
//	/var/lib/stele/slots/b/  schema  document/...      copied from the running slot when b's version is applied
//
// The running version writes its own directory only (Write, Remove, Prepare); the update manager copies it over the other one (Copy). What
// both versions share (identity, audit log, update state) lies elsewhere under /var/lib/stele.
//
// Invariants:
//   - After a power cut at any moment a slot's directory is the old or the new one, whole, and so is each file in it (TestPowerCuts).
//   - A version migrates its own slot's copy; the other slot's stays as its version left it (TestMigrateLeavesTheOtherSlot).
//   - A directory is bounded (maxFiles, maxBytes), and holds regular files and directories only (TestBounds).
//
// The exchange of two directories is one step of the file system: renameat2(2) with RENAME_EXCHANGE, which ext4 and tmpfs have, and /var
// is one of the two. Rejected: renaming the old one aside and the new one into its place, which leaves a moment with neither, and so a
// repair at the next start; and one directory with version numbers in file names, in which every reader would have to know every schema.
package slotstate
