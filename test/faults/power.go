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

// cutBeforeCommit cuts the power while a good version is on probation. It has a second try, in which it proves itself. Then it is left by request.
func cutBeforeCommit(ctx context.Context, m *Machine) (o Outcome, err error) {
	before, err := m.staged(ctx, fine)
	if err != nil {
		return o, err
	}
	if err := m.onProbation(ctx, fine.Number); err != nil {
		return o, err
	}
	m.Cut()
	o.Fault = time.Now()
	if err := m.PowerOn(ctx); err != nil {
		return o, err
	}
	status, err := m.InService(ctx, fine.Number, before)
	if err != nil {
		return o, err
	}
	o.Back, o.Reason = time.Now(), status.GetBoots()[1].GetReason()
	if status, err = m.committed(ctx, fine.Number, before); err != nil {
		return o, err
	}
	_, err = node.Ask(ctx, m.Client.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: "a test"})
	if err == nil {
		_, err = m.committed(ctx, Good, status.GetBoots()[0].GetId())
	}
	return o, node.Explain("machine", err)
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
	status, err := m.committed(ctx, "", before)
	o.Back, o.Reason = time.Now(), status.GetRunning().GetVersion()+" is committed"
	return o, err
}

// committed waits until a version (empty: whichever) serves and is committed.
func (m *Machine) committed(ctx context.Context, version, before string) (*nodev1.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		status, err := m.once(ctx, version, before)
		if err == nil && status.GetRunning().GetCommitted() {
			return status, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("version %q is not committed: %w: %w\n%s", version, ctx.Err(), err, m.Tail(20))
		case <-time.After(100 * time.Millisecond):
		}
	}
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
	return o, nil
}
