package update

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slots"
)

// lastResortSpare is what a manager has beyond the deadline to come to a verdict of its own.
const lastResortSpare = time.Minute

// lastResort restarts a machine whose version is on probation and whose manager does not get so far as to judge it: it cannot read the slots, waits
// for ever, or crashes. The loader counts the tries, and then starts the version before. It goes by the record of the request, which is all there is
// without a look at the slots, and counts in it: a machine that has nothing to go back to must not restart for ever.
func (m *Manager) lastResort(ctx context.Context) error {
	if _, err := m.o.Machine.Storage.Wait(ctx, nil); err != nil {
		return nil
	}
	boot, _ := m.o.Machine.Boot.Get()
	var p pending
	found, err := readRecord(m.records.pendingPath(), &p)
	if err != nil || !found || p.Schema != schema || p.RootHash != boot.RootHash || p.LastResorts >= slots.Tries {
		return err
	}
	if left := p.Deadline + lastResortSpare - m.o.SinceStart(); left > 0 {
		if sleep(ctx, left); ctx.Err() != nil {
			return nil
		}
	} // else a Run that fails at once, and ends ctx with that, is what this is for
	m.mu.Lock()
	judged := m.life != nil || m.down
	m.mu.Unlock()
	if _, down := m.o.Machine.Shutdown.Get(); judged || down {
		return nil
	}
	p.LastResorts++
	if err := keep(m.records.pendingPath(), p); err != nil {
		return err
	}
	reason := "the update manager could not judge version " + p.Version + " in time"
	m.logf("%s; restarting: its tries bring the machine back", reason)
	m.leave(state.OutcomeRestarted, reason, "update: "+reason)
	return nil
}
