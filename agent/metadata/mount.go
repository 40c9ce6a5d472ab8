package metadata

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Mounter mounts a volume read-only for as long as its files are read.
type Mounter interface {
	Mount(device, fstype, target string) error
	Unmount(target string) error
}

// kernelMounter is the real one.
type kernelMounter struct{}

func (kernelMounter) Mount(device, fstype, target string) error {
	return unix.Mount(device, target, fstype, unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOEXEC, "")
}

func (kernelMounter) Unmount(target string) error {
	return unix.Unmount(target, unix.UMOUNT_NOFOLLOW)
}

// withMount mounts device at a private directory below /run/stele, calls read with it, and unmounts again whatever read returned.
func withMount(root string, m Mounter, device, fstype string, read func(dir string) error) (err error) {
	parent := filepath.Join(root, "/run/stele")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("cannot make %q: %w", parent, err)
	}
	dir, err := os.MkdirTemp(parent, "metadata-")
	if err != nil {
		return fmt.Errorf("cannot make a directory under %q: %w", parent, err)
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }()
	if err := m.Mount(device, fstype, dir); err != nil {
		return fmt.Errorf("cannot mount %q as %s: %w", device, fstype, err)
	}
	defer func() {
		if e := m.Unmount(dir); e != nil {
			err = errors.Join(err, fmt.Errorf("cannot unmount %q: %w", device, e))
		}
	}()
	return read(dir)
}
