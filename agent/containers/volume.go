package containers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/plan"
)

// prepareVolumes makes what a container mounts. It is idempotent.
func prepareVolumes(s specification, owner user) error {
	for i, v := range s.Volumes {
		if err := prepareVolume(v, owner); err != nil {
			return fmt.Errorf("cannot mount volume %q: %w", s.Container.Mounts[i].Volume, err)
		}
	}
	return nil
}

func prepareVolume(v plan.Volume, owner user) error {
	switch v.Kind {
	case plan.VolumePersistent:
		return makePersistent(v.Path, owner)
	case plan.VolumeEmptyDir:
		return mountTmpfs(v.Path, v.SizeBytes)
	case plan.VolumeHostPath:
		if _, err := os.Stat(v.Path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the machine has no path %q", v.Path)
		} else if err != nil {
			return err
		}
		return nil
	default:
		return fmt.Errorf("no such volume in the document")
	}
}

// makePersistent makes a volume's directory. It belongs to the user of the container that needs it first; once made it is never changed.
func makePersistent(path string, owner user) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil || owner.UID == 0 && owner.GID == 0 {
		return err
	}
	return os.Chown(path, int(owner.UID), int(owner.GID))
}

// mountTmpfs mounts a tmpfs once; it stays until the machine goes down.
func mountTmpfs(path string, sizeBytes int64) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	mounted, err := isMountPoint(path)
	if err != nil || mounted {
		return err
	}
	data := "mode=1777,size=" + strconv.FormatInt(sizeBytes, 10)
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, data); err != nil {
		return fmt.Errorf("cannot mount a tmpfs on %q: %w", path, err)
	}
	return nil
}

// isMountPoint compares the device numbers of a directory and its parent.
func isMountPoint(path string) (bool, error) {
	var here, parent unix.Stat_t
	if err := unix.Stat(path, &here); err != nil {
		return false, fmt.Errorf("cannot look at %q: %w", path, err)
	}
	if err := unix.Stat(filepath.Dir(path), &parent); err != nil {
		return false, fmt.Errorf("cannot look at %q: %w", filepath.Dir(path), err)
	}
	return here.Dev != parent.Dev, nil
}
