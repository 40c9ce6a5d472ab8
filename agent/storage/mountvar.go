package storage

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stele-os/stele/agent/state"
)

// Template is an opened template of /var.
type Template io.ReadCloser

// MountVar mounts /var and makes its directories. Whatever is wrong with the partition, /var is there afterwards, if need be in memory.
func (f Found) MountVar(o Options) state.Storage {
	s, err := f.mountPartition(o)
	if err != nil {
		s.VarDevice, s.VarSizeBytes = "", 0
		s.Error = fmt.Sprintf("/var is in memory and will be lost: %v", err)
		if err := mountMemory(f.path("/var")); err != nil {
			s.Error += "; " + err.Error()
		}
	}
	if err := makeLayout(f.path("/var")); err != nil && s.Error == "" {
		s.Error = err.Error()
	}
	return s
}

// mountPartition observes, decides, and acts, at most twice: a mount that fails is a new observation.
func (f Found) mountPartition(o Options) (state.Storage, error) {
	var s state.Storage
	if f.part == nil {
		return s, f.missing
	}
	s.VarDevice, s.VarSizeBytes = f.varDevice(), f.disk.table.SizeBytes(*f.part)
	seen, err := f.observeVar()
	if err != nil {
		return s, err
	}
	d := decide(seen, f.resetAsked(), nil)
	if d.action == actionMount {
		mountError := mountExt4(f.path(s.VarDevice), f.path("/var"))
		if mountError == nil {
			s.VarSizeBytes = seen.superblock.sizeBytes()
			return s, nil
		}
		d = decide(seen, false, mountError)
	}
	if d.action == actionRefuse {
		return s, fmt.Errorf("cannot use %q: %s", s.VarDevice, d.reason)
	}
	s.Events = append(s.Events, fmt.Sprintf("/var is made anew on %s: %s", s.VarDevice, d.reason))
	if err := f.recreate(o, s.VarSizeBytes); err != nil {
		return s, err
	}
	if err := mountExt4(f.path(s.VarDevice), f.path("/var")); err != nil {
		return s, fmt.Errorf("cannot mount %q after making it anew: %w", s.VarDevice, err)
	}
	return s, nil
}

func (f Found) observeVar() (observation, error) {
	file, err := os.Open(f.path(f.varDevice()))
	if err != nil {
		return observation{}, fmt.Errorf("cannot read partition for /var: %w", err)
	}
	defer file.Close()
	return observe(file, f.disk.table.SizeBytes(*f.part)), nil
}

func (f Found) recreate(o Options, sizeBytes int64) error {
	template, err := o.Template()
	if err != nil {
		return fmt.Errorf("cannot open the template of /var: %w", err)
	}
	defer template.Close()
	file, err := os.OpenFile(f.path(f.varDevice()), os.O_RDWR|os.O_EXCL, 0)
	if err != nil {
		return fmt.Errorf("cannot make /var anew: %w", err)
	}
	var forget func() error
	if f.resetAsked() {
		forget = f.forgetReset
	}
	return errors.Join(makeAnew(partitionFile{file}, sizeBytes, template, forget), file.Close())
}
