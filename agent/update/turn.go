package update

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slots"
	"github.com/stele-os/stele/internal/bls"
)

// Apply arms the staged version and asks for a restart: the per-slot state first, then the record of who asked, then the boot entry, which is the
// commit point. After a power cut before it the machine runs on as it was, and the record is dropped at the next start.
func (m *Manager) Apply(_ context.Context, caller string, r server.ApplyRequest) error {
	release, err := m.acquire("the application of " + versionOr(r.Version))
	if err != nil {
		return err
	}
	defer release()
	running, other, err := m.current()
	if err != nil {
		return err
	}
	if err := mayApply(running, other, r.Version); err != nil {
		return err
	}
	if err := m.o.do.copyState(running.Name, other.Name); err != nil {
		return noRoom(fmt.Errorf("cannot apply version %q: %w", other.Version, err))
	}
	if err := m.request(running, other, pending{AskedBy: caller, Reason: r.Reason, RequireConfirmation: r.RequireConfirmation}); err != nil {
		if r.RequireConfirmation {
			return noRoom(fmt.Errorf("cannot apply version %q: that it waits for a word cannot be kept: %w", other.Version, err))
		}
		m.logf("who asked for version %s is not kept: %v", other.Version, err)
	}
	if err := m.withDisk(func(d *slots.Disk) error { return d.Arm(other.Version) }); err != nil {
		m.drop()
		return err
	}
	m.forgive(other.RootHash) // it gets another chance; a second rejection has a reason of its own
	m.logf("version %s is applied%s; restarting", other.Version, by(caller))
	m.leave(state.OutcomeRestarted, "update to "+other.Version, "update to version "+other.Version+by(caller))
	return nil
}

func mayApply(running, other slots.Slot, version string) error {
	switch {
	case running.Counted():
		return fault.New(fault.Precondition, "cannot apply: the running version %q has not proven itself yet", running.Version)
	case other.State != state.SlotStaged && other.State != state.SlotTrying:
		return fault.New(fault.Precondition, "cannot apply: slot %s is %s; stage a version first", other.Name, describe(other))
	case bls.Compare(other.Version, running.Version) < 0:
		return fault.New(fault.Precondition, "cannot apply: slot %s holds %s, which is older than the running %q; to go back is rollback's", other.Name, describe(other), running.Version)
	case version != "" && version != other.Version:
		return fault.New(fault.Precondition, "cannot apply version %q: slot %s holds %s", version, other.Name, describe(other))
	}
	return nil
}

// request records who asks for the other slot's version.
func (m *Manager) request(running, other slots.Slot, p pending) error {
	id, err := m.o.do.bootID()
	if err != nil {
		m.logf("%v", err)
	}
	desired, _ := m.o.Machine.Desired.Get()
	p.Version, p.RootHash, p.Slot, p.From, p.FromRootHash = other.Version, other.RootHash, other.Name, running.Version, running.RootHash
	p.BootID, p.Time, p.AskedBy, p.Reason = id, m.o.Now(), bounded(p.AskedBy), bounded(p.Reason)
	p.Probation, p.Deadline = desired.Update.Probation, desired.Update.Deadline
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records.request(p)
}

// noRoom gives the error of a full /var its kind.
func noRoom(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fault.As(fault.Exhausted, fmt.Errorf("%w; make room on /var first", err))
	}
	return err
}

// Commit is the word that a version on probation may wait for. It stays a word: the other gates decide, too.
func (m *Manager) Commit(_ context.Context, caller, version string) error {
	m.mu.Lock()
	started := m.life != nil
	m.mu.Unlock()
	if !started {
		return fault.New(fault.Unavailable, "cannot confirm: the update manager has not started yet; try again in a moment")
	}
	running, _, err := m.current()
	if err != nil {
		return err
	}
	if version != "" && version != running.Version {
		return fault.New(fault.Aborted, "cannot confirm version %q: %q is running", version, running.Version)
	}
	if !running.Counted() {
		return nil
	}
	m.confirmed.Set(caller)
	m.logf("version %s is confirmed%s", running.Version, by(caller))
	return nil
}

// Rollback makes the loader start the other slot's version and asks for a restart. On probation it is the rejection that the gates would have
// brought later; else the other version must be a committed one, and proves itself again.
func (m *Manager) Rollback(ctx context.Context, caller string, r server.RollbackRequest) (toVersion string, err error) {
	release, err := m.acquire("the rollback")
	if err != nil {
		return "", err
	}
	defer release()
	running, other, err := m.current()
	if err != nil {
		return "", err
	}
	if running.Counted() {
		err = m.rollBackProbation(running, other)
	} else {
		err = m.rollBackCommitted(ctx, running, other, caller, r)
	}
	if err != nil {
		return "", err
	}
	words := rolledBack(bounded(caller), bounded(r.Reason))
	m.note(state.Rejection{Version: running.Version, RootHash: running.RootHash, Reason: words, Time: m.o.Now()})
	m.publishSlots()
	m.leave(state.OutcomeRolledBack, words, fmt.Sprintf("rollback to version %s%s", other.Version, by(caller)))
	return other.Version, nil
}

func (m *Manager) rollBackProbation(running, other slots.Slot) error {
	if !goesBack(running, other) {
		return fault.New(fault.Precondition, "cannot roll back: slot %s (%s) would not start", other.Name, describe(other))
	}
	return m.withDisk((*slots.Disk).Reject)
}

func (m *Manager) rollBackCommitted(ctx context.Context, running, other slots.Slot, caller string, r server.RollbackRequest) error {
	if err := slots.CheckRollBack(running, other); err != nil {
		return err
	}
	if err := m.checkFloor(other, r.AcceptLowerSecurity); err != nil {
		return err
	}
	if err := m.request(running, other, pending{Rollback: true, AskedBy: caller, Reason: r.Reason}); err != nil {
		m.logf("who asked for the rollback is not kept: %v", err)
	}
	err := m.withDisk(func(d *slots.Disk) error {
		_, err := d.RollBack(ctx)
		return err
	})
	if err != nil {
		m.drop()
	}
	return err
}
