package faults

import (
	"context"
	"fmt"
	"time"

	"github.com/stele-os/stele/test/versions"
)

// Version is one without anything special.
func Version(number string) versions.Version { return versions.Version{Number: number} }

// infliction brings a staged version down, and returns the moment of the fault.
type infliction func(ctx context.Context, m *Machine, version string) (time.Time, error)

// update is the way of a bad version: publish, stage by its name, inflict, wait for the good one, look why.
func update(v versions.Version, inflict infliction) func(context.Context, *Machine) (Outcome, error) {
	return func(ctx context.Context, m *Machine) (o Outcome, err error) {
		before, err := m.staged(ctx, v)
		if err != nil {
			return o, err
		}
		if o.Fault, err = inflict(ctx, m, v.Number); err != nil {
			return o, err
		}
		status, err := m.InService(ctx, Good, before)
		if err != nil {
			return o, err
		}
		o.Back = time.Now()
		o.Reason, err = rejected(status, v.Number)
		return o, err
	}
}

// staged publishes and stages a version, and returns the id of the present boot.
func (m *Machine) staged(ctx context.Context, v versions.Version) (boot string, err error) {
	if _, err := m.lab.PublishVersion(ctx, v); err != nil {
		return "", err
	}
	if err := m.Stage(ctx, v.Number); err != nil {
		return "", err
	}
	status, err := m.Status(ctx)
	if err != nil {
		return "", err
	}
	if b := Slot(status, "b"); b.GetVersion() != v.Number || b.GetCondition() != "staged" {
		return "", fmt.Errorf("%s is not staged: %v", v.Number, b)
	}
	return status.GetBoots()[0].GetId(), nil
}

// apply is the infliction of versions that are bad by themselves.
func apply(ctx context.Context, m *Machine, version string) (time.Time, error) {
	now := time.Now()
	return now, m.Apply(ctx, version)
}

// applyAndEdit lets the machine go down for the restart, changes its disk, and powers it on.
func applyAndEdit(edit func(disk, version string) error) infliction {
	return func(ctx context.Context, m *Machine, version string) (time.Time, error) {
		if err := m.QMP.Execute(ctx, "set-action", map[string]string{"reboot": "shutdown"}, nil); err != nil {
			return time.Time{}, err
		}
		if err := m.Apply(ctx, version); err != nil {
			return time.Time{}, err
		}
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := m.Wait(limited); err != nil {
			return time.Time{}, err
		}
		m.VM.Close()
		if err := edit(m.Disk(), version); err != nil {
			return time.Time{}, err
		}
		return time.Now(), m.PowerOn(ctx)
	}
}
