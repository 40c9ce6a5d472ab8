package update

import (
	"context"
	"errors"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/repository"
)

// staging is one under way. It ends by itself, by Cancel, or with the Run it belongs to; never because a caller leaves.
type staging struct {
	version string // asked for; empty: the newest. Once that is known it stands here.
	caller  string
	cancel  context.CancelCauseFunc
	ended   chan struct{}
	err     error // once ended is closed
}

const (
	retryFirst = time.Second
	retryMax   = time.Minute
	// retryFor is how long a staging goes on trying after it last got anything.
	retryFor = 10 * time.Minute
	// progressEvery bounds how often progress is published.
	progressEvery = 250 * time.Millisecond
)

var errCanceled = fault.New(fault.Aborted, "the staging was cancelled")

// Stage begins, or joins, staging of a version from the document's repository.
func (m *Manager) Stage(ctx context.Context, caller, version string) error {
	s, err := m.join(version)
	if s == nil && err == nil {
		var src repository.Source
		if src, err = m.source(); err == nil {
			s, err = m.begin(caller, version, src, retryFor)
			if err != nil {
				closeSource(src)
			}
		}
	}
	if err != nil {
		return err
	}
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Push stages from src, which ends with ctx.
func (m *Manager) Push(ctx context.Context, caller, version string, src repository.Source) error {
	if m.trustErr != nil {
		return m.trustErr
	}
	s, err := m.begin(caller, version, src, 0)
	if err != nil {
		return err
	}
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.cancel(ctx.Err())
		<-s.ended
	}
	return s.err
}

// Cancel ends a staging and waits until it has ended.
func (m *Manager) Cancel(ctx context.Context) error {
	m.mu.Lock()
	s := m.staging
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	s.cancel(errCanceled)
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the staging under way where it is of this version.
func (m *Manager) join(version string) (*staging, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.staging != nil && version != "" && version != m.staging.version {
		return nil, fault.New(fault.Unavailable, "cannot stage version %q: %s is under way; cancel it first", version, m.busy)
	}
	return m.staging, nil
}

// begin starts a staging in a goroutine of this Run.
func (m *Manager) begin(caller, version string, src repository.Source, patience time.Duration) (*staging, error) {
	release, err := m.acquire("staging of " + versionOr(version))
	if err != nil {
		return nil, err
	}
	if err := m.mayStage(); err != nil {
		release()
		return nil, err
	}
	s := &staging{version: version, caller: caller, ended: make(chan struct{})}
	m.mu.Lock()
	l := m.life
	if l == nil { // the Run has ended since
		m.mu.Unlock()
		release()
		return nil, fault.New(fault.Unavailable, "cannot begin staging of %s: the update manager starts again; try again in a moment", versionOr(version))
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancelCause(l.ctx)
	m.staging = s
	l.owned.Add(1) // under the lock: Run waits for them only when none can be added any more
	m.mu.Unlock()
	m.rest()
	m.publish(func(u *state.Update) { u.Error, u.Progress = "", state.Progress{Version: version, Phase: "metadata"} })
	go func() {
		defer l.owned.Done()
		err := contain(func() error { return m.stage(ctx, s, src, patience) })
		if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, ctx.Err()) {
			err = cause
		}
		s.cancel(nil)
		if patience > 0 { // a document's source; who pushes keeps the own
			closeSource(src)
		}
		m.endStaging(s, err, release)
	}()
	return s, nil
}

// mayStage refuses before anything is fetched what slots.Check would refuse afterwards.
func (m *Manager) mayStage() error {
	running, _, err := m.current()
	m.mu.Lock()
	damage := m.damage
	m.mu.Unlock()
	switch {
	case err != nil:
		return err
	case damage != nil:
		return fault.New(fault.Precondition, "cannot stage: %w", damage)
	case running.Counted():
		return fault.New(fault.Precondition, "cannot stage: the running version %q has not proven itself yet", running.Version)
	}
	return nil
}

func versionOr(version string) string {
	if version == "" {
		return "the newest version"
	}
	return "version " + version
}

func (m *Manager) endStaging(s *staging, err error, release func()) {
	if err != nil {
		m.logf("%s is not staged: %v", versionOr(s.version), err)
	}
	m.fail(err)
	m.mu.Lock()
	m.staging = nil
	m.mu.Unlock()
	release()
	s.err = err
	close(s.ended)
}

func by(caller string) string {
	if caller == "" {
		return ""
	}
	return " for " + caller
}
