package slots

import (
	"cmp"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
)

var errElsewhere = fault.New(fault.Precondition, "cannot update: the machine does not run from a slot of the boot disk")

// spareBytes on the ESP beside the boot entry: the directory may grow by a cluster, and the loader writes its random seed.
const spareBytes = 128 << 10

// Check says why a version cannot be staged; nil: it can. Nothing is written.
func (d *Disk) Check(info bundle.Info) error {
	running, other, err := d.look()
	if err != nil {
		return err
	}
	room, err := d.espRoom(running)
	if err != nil {
		return err
	}
	return check(running, other, info, room)
}

// espRoom is what the ESP has free for a boot entry once everything that Begin removes is gone.
func (d *Disk) espRoom(running Slot) (int64, error) {
	free, err := d.esp.FreeBytes()
	if err != nil {
		return 0, err
	}
	files, err := d.esp.List(EntryDirectory)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		if _, own := ownName(f.Name); (own || isTemporary(f.Name)) && f.Name != running.Entry {
			free += f.SizeBytes
		}
	}
	return free, nil
}

// check is the choice.
func check(running, other Slot, info bundle.Info, espRoomBytes int64) error {
	if err := checkRunning(running, other); err != nil {
		return err
	}
	refuse := func(kind fault.Kind, format string, args ...any) error {
		return fault.New(kind, "cannot stage version %q: "+format, append([]any{info.Version}, args...)...)
	}
	holds := other.State == state.SlotStaged || other.State == state.SlotTrying || other.State == state.SlotCommitted
	switch order := bls.Compare(info.Version, running.Version); {
	case info.RootHash == running.RootHash || order == 0:
		return refuse(fault.Precondition, "it is running")
	case order < 0:
		return refuse(fault.Precondition, "it is older than the running %q; to go back is rollback's", running.Version)
	case holds && info.RootHash == other.RootHash || holds && info.Version == other.Version:
		return refuse(fault.Precondition, "slot %s holds it already (%s)", other.Name, other.State)
	case info.Root.Bytes > other.RootBytes:
		return refuse(fault.Exhausted, "its root needs %d bytes, slot %s has %d", info.Root.Bytes, other.Name, other.RootBytes)
	case info.Verity.Bytes > other.VerityBytes:
		return refuse(fault.Exhausted, "its hash tree needs %d bytes, slot %s has %d", info.Verity.Bytes, other.Name, other.VerityBytes)
	case info.UKI.Bytes+spareBytes > espRoomBytes:
		return refuse(fault.Exhausted, "its boot entry needs %d bytes, the ESP has %d", info.UKI.Bytes+spareBytes, espRoomBytes)
	}
	return nil
}

// checkRunning says why nothing can be staged at all.
func checkRunning(running, other Slot) error {
	switch {
	case running.Entry == "":
		return fault.New(fault.Precondition, "cannot stage: no boot entry starts the running version, so that of slot %s is the only one", other.Name)
	case running.Counted():
		return fault.New(fault.Precondition, "cannot stage: the running version %q has not proven itself yet", running.Version)
	case other.State == state.SlotTrying:
		return fault.New(fault.Precondition, "cannot stage: version %q is armed and starts at the next boot", other.Version)
	}
	return nil
}

// label is a version for an error, where there may be none.
func label(s Slot) string { return cmp.Or(s.Version, string(s.State)) }
