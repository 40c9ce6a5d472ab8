package update

import (
	"context"
	"slices"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/internal/bls"
)

// Check asks the document's repository what it holds for this machine.
func (m *Manager) Check(ctx context.Context) (server.CheckResult, error) {
	result, err := m.check(ctx)
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	m.publish(func(u *state.Update) {
		u.CheckedAt, u.Available, u.Error = m.o.Now(), result.Available, ""
		if err != nil {
			u.Error = err.Error()
		}
	})
	return result, err
}

func (m *Manager) check(ctx context.Context) (server.CheckResult, error) {
	machine := m.machine()
	result := server.CheckResult{Running: machine.Version}
	src, err := m.source()
	if err != nil {
		return result, err
	}
	defer closeSource(src)
	m.publish(func(u *state.Update) {
		if u.Activity == state.ActivityIdle {
			u.Activity = state.ActivityChecking
		}
	})
	defer m.rest()
	targets, err := m.trust.Refresh(ctx, src)
	if err != nil {
		return result, err
	}
	for _, t := range targets.List {
		if t.Info.Name == machine.Image && t.Info.Architecture == machine.Architecture {
			result.Versions = append(result.Versions, t.Info.Version)
		}
	}
	slices.SortFunc(result.Versions, func(a, b string) int { return bls.Compare(b, a) })
	choice := repository.Select(targets, machine, "")
	if !choice.Found() {
		result.Reason = choice.Reason()
		return result, nil
	}
	result.Available, result.Bytes = choice.Target.Info.Version, choice.Target.Info.BundleBytes
	return result, nil
}

// machine is what a bundle has to fit.
func (m *Manager) machine() repository.Machine {
	boot, _ := m.o.Machine.Boot.Get()
	m.mu.Lock()
	defer m.mu.Unlock()
	return repository.Machine{Image: m.o.Image.Name, Architecture: m.o.Image.Architecture, Version: boot.Version, RootHash: boot.RootHash,
		Rejected: slices.Clone(m.records.rejections)}
}

// source is the document's repository.
func (m *Manager) source() (repository.Source, error) {
	if m.trustErr != nil {
		return nil, m.trustErr
	}
	desired, _ := m.o.Machine.Desired.Get()
	if desired.Update.Repository == "" {
		return nil, fault.New(fault.Precondition, "cannot ask for versions: the document names no update repository")
	}
	src, err := m.o.Source(desired.Update)
	return src, fault.As(fault.Precondition, err)
}

// closeSource ends a source that this package has opened.
func closeSource(src repository.Source) {
	if c, ok := src.(interface{ Close() }); ok {
		c.Close()
	}
}
