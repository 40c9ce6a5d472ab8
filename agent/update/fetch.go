package update

import (
	"context"
	"io"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/agent/update/slots"
	"github.com/stele-os/stele/agent/update/transfer"
)

// stage tries until it has succeeded, or has got nothing for as long as patience.
func (m *Manager) stage(ctx context.Context, s *staging, src repository.Source, patience time.Duration) error {
	last, wait, told := m.o.Now(), retryFirst, ""
	most := int64(0)
	got := func(done int64) { // only what no attempt had before: a server could send the same beginning for ever
		if done > most {
			most, last, wait = done, m.o.Now(), retryFirst
		}
	}
	for {
		err := m.stageOnce(ctx, s, src, got)
		if err == nil || ctx.Err() != nil || fault.KindOf(err) != fault.Unavailable || m.o.Now().Sub(last) >= patience {
			return err
		}
		if told != err.Error() {
			told = err.Error()
			m.logf("staging of %s goes on in %s: %v", versionOr(s.version), wait, err)
		}
		m.fail(err)
		sleep(ctx, wait)
		wait = min(2*wait, retryMax)
	}
}

// stageOnce goes once through all steps. What an earlier attempt brought into the slot is found there again.
func (m *Manager) stageOnce(ctx context.Context, s *staging, src repository.Source, got func(done int64)) error {
	targets, err := m.trust.Refresh(ctx, src)
	if err != nil {
		return err
	}
	choice := repository.Select(targets, m.machine(), s.version)
	if err := choice.Err(s.version); err != nil {
		return err
	}
	info := choice.Target.Info
	m.mu.Lock()
	s.version = info.Version
	m.mu.Unlock()
	report := m.reporter(info.Version, got)
	if _, other, err := m.current(); err == nil && other.State == state.SlotStaged && other.RootHash == info.RootHash {
		report.phase("done")
		return nil
	}
	return m.withDisk(func(d *slots.Disk) error {
		if err := d.Check(info); err != nil {
			return err
		}
		report.phase("preparing")
		b, err := transfer.Open(ctx, src, choice.Target, report.progress)
		if err != nil {
			return err
		}
		if err := m.admit(ctx, b, info); err != nil {
			return err
		}
		to, err := d.Begin(info)
		if err != nil {
			return err
		}
		m.publishWriting(d)
		report.phase("writing")
		if err := b.Write(ctx, transfer.Slot{Root: to.Root, Verity: to.Verity}, transfer.Running{Root: to.RunningRoot, Verity: to.RunningVerity}); err != nil {
			return err
		}
		entry := func(ctx context.Context) (io.ReadCloser, error) { return b.UKI(ctx), nil }
		if err := d.Seal(ctx, info, entry, report.phase); err != nil {
			return err
		}
		report.phase("done")
		m.logf("version %s is staged in slot %s%s", info.Version, to.Slot, by(s.caller))
		return nil
	})
}

// publishWriting publishes that the other slot is being written; what cannot be seen now is seen at the end.
func (m *Manager) publishWriting(d *slots.Disk) { _ = m.look(d) }
