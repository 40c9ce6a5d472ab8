package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MountAll mounts the rows of table below root ("/" on the machine) and returns every failure; it goes on after each.
func MountAll(root string, table []Mount) error {
	var failures []error
	for _, m := range table {
		if err := mountOne(root, m); err != nil && !m.Optional {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// EarlyMounts are the rows that /var and the managers need; LateMounts are the others.
func EarlyMounts() []Mount { return rows(false) }

// LateMounts are the rows that nobody waits for.
func LateMounts() []Mount { return rows(true) }

func rows(late bool) []Mount {
	var chosen []Mount
	for _, m := range Mounts {
		if m.Late == late {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

func mountOne(root string, m Mount) error {
	target := filepath.Join(root, m.Target)
	if m.Type == "" {
		if err := unix.Mount("", target, "", m.Flags|unix.MS_REMOUNT|unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("cannot restrict %q: %w", m.Target, err)
		}
		return nil
	}
	if m.ByKernel && unix.Mount(m.Source, target, m.Type, m.Flags|unix.MS_REMOUNT, "") == nil {
		return nil
	}
	err := unix.Mount(m.Source, target, m.Type, m.Flags, m.Data)
	if errors.Is(err, unix.ENOENT) {
		if err := os.Mkdir(target, 0o755); err != nil {
			return fmt.Errorf("cannot mount %q: %w", m.Target, err)
		}
		err = unix.Mount(m.Source, target, m.Type, m.Flags, m.Data)
	}
	if err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("cannot mount %q: %w", m.Target, err)
	}
	return nil
}
