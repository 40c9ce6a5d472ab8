package update

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slots"
)

// floorPatience bounds the wait for a refresh that sits before a slow server: the two write the same file.
const floorPatience = 30 * time.Second

// holdFloor raises the floor of security versions to that of the running version, once it is committed. What cannot be kept counts for this boot, is
// said, and is tried again at the next start; the running version's own is a floor in any case.
func (m *Manager) holdFloor(ctx context.Context) {
	running, _, err := m.current()
	if err != nil {
		return // it runs from no slot, and nothing can be staged
	}
	var floor int64
	if !running.Counted() {
		floor = m.o.Image.SecurityVersion
	}
	if m.trustErr == nil {
		ctx, cancel := context.WithTimeout(ctx, floorPatience)
		defer cancel()
		kept, err := m.trust.SecurityFloor(ctx)
		if err == nil && floor > kept {
			if err = m.trust.RaiseSecurityFloor(ctx, floor); err == nil {
				m.logf("from now on this machine takes security version %d or more", floor)
			}
		}
		if err != nil {
			m.logf("the floor of security versions is not kept: %v", err)
		}
		floor = max(floor, kept)
	}
	m.mu.Lock()
	m.floor = max(m.floor, floor)
	floor = m.floor
	m.mu.Unlock()
	m.publish(func(u *state.Update) { u.SecurityFloor = floor })
}

// checkFloor refuses a way back to a version that may be known to be bad, unless the one who asks says that it is meant.
func (m *Manager) checkFloor(to slots.Slot, accepted bool) error {
	m.mu.Lock()
	floor := m.floor
	m.mu.Unlock()
	if accepted || to.SecurityVersion >= floor {
		return nil
	}
	return fault.New(fault.Precondition, "cannot roll back: the security version of %s is %d, and this machine takes %d or more; to start it all the same, accept a lower security version",
		to.Version, to.SecurityVersion, floor)
}
