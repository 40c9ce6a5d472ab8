package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/operator/node"
)

// cutWhileStaging cuts the power when half of what must be fetched was sent. The old version serves, and another staging fetches less than the whole.
func cutWhileStaging(ctx context.Context, m *Machine) (o Outcome, err error) {
	image, err := m.lab.PublishVersion(ctx, large)
	if err != nil {
		return o, err
	}
	info, err := m.lab.Info(large.Number)
	if err != nil {
		return o, err
	}
	status, err := m.Status(ctx)
	if err != nil {
		return o, err
	}
	limit := m.Web.Sent() + BallastBytes/2
	staging := make(chan error, 1)
	go func() { staging <- m.Stage(ctx, large.Number) }()
	for m.Web.Sent() < limit {
		select {
		case err := <-staging:
			return o, fmt.Errorf("it was staged too soon: %w", err)
		case <-time.After(time.Millisecond):
		}
	}
	m.Cut()
	o.Fault = time.Now()
	<-staging
	if err := m.PowerOn(ctx); err != nil {
		return o, err
	}
	if status, err = m.InService(ctx, Good, status.GetBoots()[0].GetId()); err != nil {
		return o, err
	}
	o.Back = time.Now()
	o.Reason = status.GetBoots()[1].GetReason()
	if b := Slot(status, "b"); b.GetCondition() != "writing" && b.GetCondition() != "empty" {
		return o, fmt.Errorf("after the cut: %v", b)
	}
	var fetched int64
	_, err = m.Client.Stage(ctx, large.Number, nil, func(p *nodev1.Progress) { fetched = max(fetched, p.GetFetchedBytes()) })
	whole := int64(BallastBytes) + info.UKI.Bytes
	m.setting.Log("the staging after the cut fetched %d bytes; a new one fetches %d or more", fetched, whole)
	if err != nil || fetched == 0 || fetched > whole-BallastBytes/4 {
		return o, errors.Join(fmt.Errorf("staging %s again fetched %d of %d bytes", image.Manifest.Version, fetched, whole), err)
	}
	return o, nil
}

// cutBeforeCommit cuts the power while a good version is on probation.
func cutBeforeCommit(ctx context.Context, m *Machine, version string) (time.Time, error) {
	if err := m.onProbation(ctx, version); err != nil {
		return time.Time{}, err
	}
	m.Cut()
	return time.Now(), m.PowerOn(ctx)
}

// onProbation applies a version and returns when its container is ready, which is some seconds before it may commit.
func (m *Machine) onProbation(ctx context.Context, version string) error {
	first := m.Console.Next()
	if err := m.Apply(ctx, version); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	started, err := m.ExpectFrom(ctx, first, `^stele: .*version `+version+` in slot b must prove itself`)
	if err == nil {
		_, err = m.ExpectFrom(ctx, started.Index, `^stele: .*container demo: running ready`)
	}
	return err
}

// cutDuringCommit cuts the power at the first write of the commit that shows in the directory of boot entries. Whichever version then runs has proven itself.
func cutDuringCommit(ctx context.Context, m *Machine) (o Outcome, err error) {
	before, err := m.staged(ctx, fine)
	if err != nil {
		return o, err
	}
	if err := m.onProbation(ctx, fine.Number); err != nil {
		return o, err
	}
	names, err := m.bootEntries()
	if err != nil {
		return o, err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for now := names; slices.Equal(now, names); now, err = m.bootEntries() {
		if limited.Err() != nil {
			return o, fmt.Errorf("it does not commit: %w", limited.Err())
		}
	}
	m.Cut()
	o.Fault = time.Now()
	left, leftErr := m.bootEntries()
	m.setting.Log("the directory of boot entries was read as (%v), and holds %q, %v", err, left, leftErr)
	if err := m.PowerOn(ctx); err != nil {
		return o, err
	}
	for _, version := range []string{fine.Number, Good} {
		status, inService := m.committed(ctx, version, before)
		if inService == nil {
			o.Back, o.Reason = time.Now(), version+" is committed"
			return o, agree(status, version)
		}
		err = errors.Join(err, inService)
	}
	return o, err
}

// committed waits until the version serves and is committed; not for long where another one is.
func (m *Machine) committed(ctx context.Context, version, before string) (*nodev1.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		status, err := m.once(ctx, version, before)
		if err == nil && status.GetRunning().GetCommitted() {
			return status, nil
		}
		if running := status.GetRunning(); running.GetCommitted() && running.GetVersion() != version {
			return nil, fmt.Errorf("version %s is committed", running.GetVersion())
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("version %s is not committed: %w: %w", version, ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func agree(s *nodev1.StatusResponse, version string) error {
	for _, slot := range s.GetSlots() {
		if slot.GetRunning() && (slot.GetVersion() != version || slot.GetCondition() != "committed") {
			return fmt.Errorf("the running slot: %v", slot)
		}
	}
	return nil
}

// bootEntries are read from under the machine.
func (m *Machine) bootEntries() (names []string, err error) {
	err = onESP(m.Disk(), func(v *fat.Volume) error {
		list, err := v.List(entries)
		for _, e := range list {
			names = append(names, e.Name)
		}
		return err
	})
	return names, err
}

// bothCorrupt: no version can start. The machine shows each panic and tries on; when the good version's root is whole again, it serves.
func bothCorrupt(ctx context.Context, m *Machine) (o Outcome, err error) {
	before, err := m.staged(ctx, fine)
	if err != nil {
		return o, err
	}
	_, err = applyAndEdit(func(disk, _ string) error {
		return errors.Join(flip(disk, "root-a", superblock), flip(disk, "root-b", superblock))
	})(ctx, m, fine.Number)
	if err != nil {
		return o, err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	next := 0
	for range 5 { // two tries of the new version, and then the old one again and again
		line, err := m.ExpectFrom(limited, next, `Kernel panic`)
		if err != nil {
			return o, err
		}
		next = line.Index + 1
	}
	m.Cut()
	if err := flip(m.Disk(), "root-a", superblock); err != nil {
		return o, err
	}
	o.Fault = time.Now()
	if err := m.PowerOn(ctx); err != nil {
		return o, err
	}
	status, err := m.InService(ctx, Good, before)
	if err != nil {
		return o, err
	}
	o.Back = time.Now()
	var reasons []string
	for _, boot := range status.GetBoots()[1:] {
		if boot.GetReason() != "" {
			reasons = append(reasons, boot.GetReason())
		}
	}
	o.Reason = strings.Join(reasons, "; ")
	_, err = m.ExpectFrom(limited, 0, `agent started`)
	return o, node.Explain("machine", err)
}
