package update

import (
	"context"
	"errors"
	"slices"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/internal/bls"
)

// checking is a check under way.
type checking struct {
	done   chan struct{}
	result server.CheckResult
	err    error
}

// Check asks the document's repository what it holds for this machine. Who asks while another one waits for the answer gets the same: readers may
// ask, and must not queue before a staging.
func (m *Manager) Check(ctx context.Context) (server.CheckResult, error) {
	for {
		m.mu.Lock()
		c := m.checking
		if c == nil {
			c = &checking{done: make(chan struct{})}
			m.checking = c
			m.mu.Unlock()
			return m.checkFor(ctx, c)
		}
		m.mu.Unlock()
		select {
		case <-c.done:
			if !errors.Is(c.err, context.Canceled) && !errors.Is(c.err, context.DeadlineExceeded) { // else its caller left
				return c.result, c.err
			}
		case <-ctx.Done():
			return server.CheckResult{}, ctx.Err()
		}
	}
}

// checkFor checks for all who wait for c.
func (m *Manager) checkFor(ctx context.Context, c *checking) (server.CheckResult, error) {
	defer func() {
		m.mu.Lock()
		m.checking = nil
		m.mu.Unlock()
		close(c.done)
	}()
	c.err = context.Canceled // unless it comes to an end
	result, err := m.check(ctx)
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	c.result, c.err = result, err
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
		SecurityFloor: m.floor, Rejected: slices.Clone(m.records.rejections)}
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
