package update

import (
	"context"
	"errors"
	"fmt"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slots"
)

// acquire gives the disk to one action, named in words such as "staging of version 1.1.0". Another one is refused meanwhile.
func (m *Manager) acquire(what string) (release func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.life == nil && m.trouble != nil:
		return nil, fault.New(fault.Unavailable, "cannot begin %s: the update manager cannot start: %w", what, m.trouble)
	case m.life == nil:
		return nil, fault.New(fault.Unavailable, "cannot begin %s: the update manager has not started yet; try again in a moment", what)
	case m.path == "":
		return nil, fault.New(fault.Precondition, "cannot begin %s: the machine was not started from a disk", what)
	case m.down:
		return nil, fault.New(fault.Unavailable, "cannot begin %s: the machine is going down", what)
	}
	return m.take(what)
}

// take is acquire for who needs the disk in whatever state it is; m.mu is held.
func (m *Manager) take(what string) (release func(), err error) {
	if m.busy != "" {
		return nil, busyError{fault.New(fault.Unavailable, "cannot begin %s: %s is under way", what, m.busy), m.free}
	}
	m.busy, m.free = what, make(chan struct{})
	return m.release, nil
}

func (m *Manager) release() {
	m.mu.Lock()
	close(m.free)
	m.busy, m.free = "", nil
	m.mu.Unlock()
	m.rest()
}

// busyError says that another action has the disk; free is closed when it ends.
type busyError struct {
	error
	free <-chan struct{}
}

func (b busyError) Unwrap() error { return b.error }

// soon calls acquire until it gets what it wants, waiting for the action under way, or until acquire refuses for another reason.
func (m *Manager) soon(ctx context.Context, what string, acquire func(string) (func(), error)) (release func(), err error) {
	for {
		release, err = acquire(what)
		var busy busyError
		if !errors.As(err, &busy) {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-busy.free:
		}
	}
}

// Alone calls f while no action has the disk: for whoever else changes the partition table. A staging under way is cancelled, any other action is
// waited for. It works where the slots cannot be read as well: f may be what repairs the machine.
func (m *Manager) Alone(ctx context.Context, what string, f func() error) error {
	release, err := m.soon(ctx, what, func(what string) (func(), error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.down {
			return nil, fault.New(fault.Unavailable, "cannot begin %s: the machine is going down", what)
		}
		if m.staging != nil {
			m.staging.cancel(fault.New(fault.Aborted, "the staging was cancelled by %s", what))
		}
		return m.take(what)
	})
	if err != nil {
		return err
	}
	defer release()
	return f()
}

// withDisk opens the boot disk for f, and publishes what the slots hold afterwards, whatever f says. Only who has acquired it calls this.
func (m *Manager) withDisk(f func(*slots.Disk) error) error {
	return m.withDevice(func(d *slots.Disk) error {
		err := f(d)
		return errors.Join(err, m.look(d))
	})
}

func (m *Manager) withDevice(f func(*slots.Disk) error) (err error) {
	m.mu.Lock()
	path := m.path
	m.mu.Unlock()
	opened, err := m.o.do.open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	boot, _ := m.o.Machine.Boot.Get()
	d, err := slots.Open(slots.Options{Device: opened, RunningRootHash: boot.RootHash, Random: m.o.do.random, Now: m.o.Now})
	if err != nil {
		return err
	}
	return f(d)
}

// look observes the slots and publishes them.
func (m *Manager) look(d *slots.Disk) error {
	observed, err := d.Observe()
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.slots = observed
	m.mu.Unlock()
	m.publishSlots()
	return nil
}

// current is what the slots held when they were last looked at.
func (m *Manager) current() (running, other slots.Slot, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	running, other, ok := slots.Running(m.slots)
	if !ok {
		return running, other, fault.New(fault.Precondition, "cannot tell the slots apart: the machine does not run from a slot of its boot disk")
	}
	return running, other, nil
}

// leave asks for the restart that an action ends with. No other action begins from here on.
func (m *Manager) leave(outcome state.Outcome, story, reason string) {
	m.mu.Lock()
	m.down = true
	m.mu.Unlock()
	m.endStory(outcome, story)
	m.rest()
	m.o.Shutdown(reason)
}

func (m *Manager) logf(format string, args ...any) {
	m.o.Logf("update: %s", fmt.Sprintf(format, args...))
}
