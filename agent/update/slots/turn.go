package slots

import (
	"context"
	"fmt"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/bls"
)

// Tries is how often the loader starts an armed version before it takes the other one.
const Tries = 2

// Arm lets the loader start the staged version: +0 becomes +Tries. An armed one stays as it is.
func (d *Disk) Arm(version string) error {
	_, other, err := d.look()
	if err != nil {
		return err
	}
	switch {
	case version != "" && version != other.Version:
		return fault.New(fault.Precondition, "cannot arm version %q: slot %s holds %s", version, other.Name, label(other))
	case other.State != state.SlotStaged && other.State != state.SlotTrying:
		return fault.New(fault.Precondition, "cannot arm slot %s: it is %s, not staged", other.Name, other.State)
	}
	return d.rename(other, counted(other, Tries, 0))
}

// Commit takes the boot counter off the running version: from here on it is good. Done once, it does nothing.
func (d *Disk) Commit() error {
	running, _, err := d.look()
	if err != nil {
		return err
	}
	if running.Entry == "" {
		return fault.New(fault.Precondition, "cannot commit: no boot entry starts the running version")
	}
	return d.rename(running, bls.Name{Prefix: running.name.Prefix, Version: running.name.Version})
}

// Reject takes the remaining tries from the running version: the next boot is the other one's. It works on a version that has not proven itself.
func (d *Disk) Reject() error {
	running, _, err := d.look()
	if err != nil {
		return err
	}
	if running.Entry == "" || !running.Counted() {
		return fault.New(fault.Precondition, "cannot reject version %q: it is committed", label(running))
	}
	return d.rename(running, counted(running, 0, max(1, running.Done)))
}

// RollBack makes the loader start the other slot's committed version, which must prove itself again. The running one stays as a rejected version. It
// reads all of the other slot first: a version that would not start is no way back.
//
// The order is: tries for the other entry, which the loader does not prefer to the running one; then the running entry turns bad, which is the
// point of no return.
func (d *Disk) RollBack(ctx context.Context) (version string, err error) {
	running, other, err := d.look()
	if err != nil {
		return "", err
	}
	if err := CheckRollBack(running, other); err != nil {
		return "", err
	}
	if err := d.verify(ctx, other.Name, other.RootHash); err != nil {
		return "", fault.As(fault.Precondition, fmt.Errorf("cannot roll back to version %q: %w", other.Version, err))
	}
	if err := d.rename(other, counted(other, Tries, 0)); err != nil {
		return "", err
	}
	if bls.Compare(other.Version, running.Version) > 0 { // the loader prefers it already
		return other.Version, nil
	}
	return other.Version, d.rename(running, counted(running, 0, max(1, running.Done)))
}

// CheckRollBack says why there is no way back. One that a failing disk has stopped half-way may be begun again.
func CheckRollBack(running, other Slot) error {
	begun := other.State == state.SlotTrying && other.Done == 0 && bls.Compare(other.Version, running.Version) < 0
	switch {
	case running.Entry == "":
		return fault.New(fault.Precondition, "cannot roll back: no boot entry starts the running version")
	case other.State != state.SlotCommitted && !begun:
		return fault.New(fault.Precondition, "cannot roll back: slot %s holds no committed version (%s)", other.Name, other.State)
	}
	return nil
}

// counted is the name of a slot's entry with a boot counter.
func counted(s Slot, left, done int) bls.Name {
	return bls.Name{Prefix: s.name.Prefix, Version: s.name.Version, Counted: true, Left: left, Done: done}
}

// rename is the commit point of everything in this file.
func (d *Disk) rename(s Slot, to bls.Name) error {
	if s.name == to {
		return nil
	}
	if err := d.esp.Rename(EntryDirectory, s.Entry, to.String()); err != nil {
		return noRoom(fmt.Errorf("cannot rename boot entry %q to %q: %w", s.Entry, to, err))
	}
	return d.device.Flush()
}
