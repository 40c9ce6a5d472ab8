package storage

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// mountExt4 mounts a file system that may need its journal.
func mountExt4(source, target string) error {
	return mountReplaying(
		func(flags uintptr) error {
			return unix.Mount(source, target, "ext4", varFlags|flags, "errors=remount-ro")
		},
		func() error { return unix.Unmount(target, 0) },
	)
}

// mountReplaying mounts read-only and then again where the file system is called damaged: a power cut while it grows may leave a new superblock beside old group
// descriptors, with the new ones in the journal. The kernel looks at the descriptors before it replays the journal, and lets such pass read-only alone (fs/ext4/super.c,
// ext4_check_descriptors). A read-only mount replays the journal all the same. Found by test/powercut.
func mountReplaying(mount func(flags uintptr) error, unmount func() error) error {
	err := mount(0)
	if !errors.Is(err, unix.EUCLEAN) || mount(unix.MS_RDONLY) != nil {
		return err
	}
	if again := unmount(); again != nil {
		return fmt.Errorf("%w; cannot unmount it behind its journal: %w", err, again)
	}
	return mount(0)
}
