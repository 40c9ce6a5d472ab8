package slots

import (
	"fmt"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/bls"
)

// Repair finishes what a power cut left, and says what that was. It is called once at each start, before anything else; done again it does nothing.
//
//   - The ESP: two names of one entry, lost clusters (fat.Repair); entries that were not complete.
//   - The copies of the partition table differ.
//   - PARTUUIDs of a staging that never got its boot entry become placeholders. The bytes stay for the next staging.
//   - A rollback that did not reach its point of no return: the other, older version is committed again, as it was.
func (d *Disk) Repair() (done []string, err error) {
	if done, err = d.esp.Repair(EntryDirectory); err != nil {
		return done, fmt.Errorf("cannot repair the ESP: %w", err)
	}
	if err := d.removeTemporaries(); err != nil {
		return done, err
	}
	if err := d.table.Update(d.device, d.device.Flush); err != nil {
		return done, err
	}
	running, other, err := d.look()
	if err != nil {
		return done, err
	}
	if other.orphaned {
		done = append(done, fmt.Sprintf("a staging into slot %s had not ended", other.Name))
		if err := d.clearOnce(other.Name); err != nil {
			return done, err
		}
	}
	if rolledHalfWay(running, other) {
		done = append(done, fmt.Sprintf("a rollback to version %q had not ended", other.Version))
		return done, d.rename(other, bls.Name{Prefix: other.name.Prefix, Version: other.name.Version})
	}
	return done, nil
}

// rolledHalfWay: only a rollback arms a version that is older than the running one, and only from one that was committed.
func rolledHalfWay(running, other Slot) bool {
	return running.State == state.SlotCommitted && other.State == state.SlotTrying && other.Done == 0 &&
		bls.Compare(other.Version, running.Version) < 0
}
