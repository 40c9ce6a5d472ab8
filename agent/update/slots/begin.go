package slots

import (
	"fmt"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bundle"
)

// Target is where the bytes of a version go, and where bytes may be found that need not be fetched.
type Target struct {
	// Slot is "a" or "b".
	Slot string
	// Root and Verity are the partitions to be written.
	Root, Verity block.Device
	// RunningRoot and RunningVerity are those of the running version. They are only read.
	RunningRoot, RunningVerity block.Device
}

// Begin makes the slot that is not running ready to be written: its boot entry goes first, then its PARTUUIDs, so that at every moment either all of
// the version that was there can boot, or nothing of it. What the partitions hold stays: a staging that was interrupted goes on from it.
// Begun again, it does nothing.
func (d *Disk) Begin(info bundle.Info) (Target, error) {
	if err := d.Check(info); err != nil {
		return Target{}, err
	}
	running, other, err := d.look()
	if err != nil {
		return Target{}, err
	}
	if err := d.removeEntries(running); err != nil {
		return Target{}, err
	}
	if err := d.clearOnce(other.Name); err != nil {
		return Target{}, err
	}
	return d.target(running.Name, other.Name)
}

func (d *Disk) target(running, other string) (t Target, err error) {
	t.Slot = other
	if t.Root, t.Verity, err = d.Partitions(other); err != nil {
		return Target{}, err
	}
	if t.RunningRoot, t.RunningVerity, err = d.Partitions(running); err != nil {
		return Target{}, err
	}
	return t, nil
}

// removeEntries removes all our entries but those of the running version, finished or not.
func (d *Disk) removeEntries(running Slot) error {
	entries, err := d.entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.File == running.Entry || e.Err == nil && e.RootHash == running.RootHash {
			continue
		}
		if err := d.esp.Remove(EntryDirectory + "/" + e.File); err != nil {
			return fmt.Errorf("cannot remove boot entry %q: %w", e.File, err)
		}
	}
	return d.removeTemporaries()
}

// removeTemporaries removes entries whose writing has not ended, and returns when all removals are on the medium.
func (d *Disk) removeTemporaries() error {
	files, err := d.esp.List(EntryDirectory)
	if err != nil {
		return fmt.Errorf("cannot list boot entries: %w", err)
	}
	for _, f := range files {
		if !isTemporary(f.Name) {
			continue
		}
		if err := d.esp.Remove(EntryDirectory + "/" + f.Name); err != nil {
			return fmt.Errorf("cannot remove %q: %w", f.Name, err)
		}
	}
	return d.device.Flush()
}

// clearOnce gives a slot placeholders unless it has them.
func (d *Disk) clearOnce(slot string) error {
	pairs, err := findPairs(d.table)
	if err != nil {
		return err
	}
	for i, p := range pairs {
		if slotNames[i] == slot && !p.cleared() {
			return d.clearGUIDs(slot)
		}
	}
	return nil
}
