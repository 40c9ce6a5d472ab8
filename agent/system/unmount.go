package system

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// UnmountUnder unmounts everything at and below the trees ("/var"), the deepest and newest first. What is busy is detached, and
// its file system made read-only, so that it is consistent when the power goes.
func UnmountUnder(mountinfo string, trees ...string) error {
	content, err := os.ReadFile(mountinfo)
	if err != nil {
		return fmt.Errorf("cannot list mounts: %w", err)
	}
	var failures []error
	for _, target := range mountsUnder(content, trees) {
		if err := unix.Unmount(target, 0); err == nil || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			continue
		}
		readOnly := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil || readOnly != nil {
			failures = append(failures, fmt.Errorf("cannot unmount %q: %w", target, errors.Join(readOnly, err)))
		}
	}
	return errors.Join(failures...)
}

// mountsUnder returns the mount points at or below the trees in the reverse order of mounting, which is the order in which they
// can be unmounted (proc_pid_mountinfo(5): the fifth field is the mount point).
func mountsUnder(mountinfo []byte, trees []string) []string {
	var targets []string
	for line := range bytes.Lines(mountinfo) {
		fields := strings.Fields(string(line))
		if len(fields) < 5 {
			continue
		}
		target := unescapeOctal(fields[4])
		for _, tree := range trees {
			if target == tree || strings.HasPrefix(target, filepath.Clean(tree)+"/") {
				targets = append([]string{target}, targets...)
				break
			}
		}
	}
	return targets
}

// unescapeOctal undoes the kernel's \040 for blank, tab, newline and backslash in mountinfo.
func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
