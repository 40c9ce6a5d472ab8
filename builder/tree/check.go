package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
)

// Limits of EROFS (include/linux: NAME_MAX, PATH_MAX; a symbolic link's target lies within one block).
const (
	maxNameBytes   = 255
	maxTargetBytes = 4095
)

// executables are the only regular files outside baked images that may have an execute bit.
var executables = map[string]bool{v1alpha1.AgentPath: true, v1alpha1.RuncPath: true}

// check judges an entry by itself.
func check(e Entry) error {
	if err := checkPath(e.Path); err != nil {
		return err
	}
	switch e.Mode.Type() {
	case 0:
		if e.Open == nil || e.Size < 0 {
			return errors.New("the file has no content")
		}
	case fs.ModeSymlink:
		if e.Target == "" || len(e.Target) > maxTargetBytes || strings.ContainsRune(e.Target, 0) {
			return fmt.Errorf("%q is no target of a symbolic link", e.Target)
		}
	case fs.ModeDir, fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice, fs.ModeNamedPipe:
	default:
		return fmt.Errorf("a %s cannot lie on the root", kind(e.Mode))
	}
	if inBakedImage(e.Path) {
		return nil
	}
	return checkOwn(e)
}

func checkPath(p string) error {
	switch {
	case !path.IsAbs(p) || path.Clean(p) != p:
		return errors.New("the path is not absolute and clean")
	case strings.ContainsAny(p, "\x00\n"):
		return errors.New("the path holds a zero byte or a line break")
	case len(path.Base(p)) > maxNameBytes:
		return fmt.Errorf("its name has more than %d bytes", maxNameBytes)
	}
	return nil
}

// checkOwn holds the rules for everything outside baked images.
func checkOwn(e Entry) error {
	special := fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	switch {
	case e.Mode&(fs.ModeDevice|fs.ModeNamedPipe) != 0:
		return fmt.Errorf("a %s may only lie in a baked image", kind(e.Mode))
	case e.UID != 0 || e.GID != 0:
		return fmt.Errorf("it belongs to %d:%d, and everything outside of baked images to 0:0", e.UID, e.GID)
	case len(e.Xattrs) > 0:
		return errors.New("it has extended attributes, which only baked images may have")
	case e.Mode&fs.ModeSymlink != 0:
		return nil // the mode of a link means nothing
	case e.Mode&special != 0:
		return fmt.Errorf("mode %v has a setuid, setgid or sticky bit", e.Mode)
	case e.Mode.IsRegular() && e.Mode.Perm()&0o111 != 0 && !executables[e.Path]:
		return fmt.Errorf("mode %v is executable, and only %s and %s may be", e.Mode, v1alpha1.AgentPath, v1alpha1.RuncPath)
	}
	return nil
}

// kind is the word for a type of entry in errors and listings.
func kind(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return "file"
	case fs.ModeDir:
		return "directory"
	case fs.ModeSymlink:
		return "link"
	case fs.ModeDevice:
		return "block-device"
	case fs.ModeDevice | fs.ModeCharDevice:
		return "char-device"
	case fs.ModeNamedPipe:
		return "fifo"
	case fs.ModeSocket:
		return "socket"
	}
	return "thing of mode " + mode.String()
}

// readOnly clears write bits outside of baked images. On a read-only root they mean nothing, and people write 0644 by habit.
func readOnly(e Entry) Entry {
	if !inBakedImage(e.Path) && e.Mode.Type() != fs.ModeSymlink {
		e.Mode &^= 0o222
	}
	return e
}
