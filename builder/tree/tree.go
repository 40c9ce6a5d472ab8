// Package tree describes a root file system as data: entries with fixed owners, modes and times, sorted, collisions refused.
//
// It is not a directory on disk: nothing is staged, nothing needs root. Contents are opened when the writer asks for them.
package tree

import (
	"io"
	"io/fs"
)

// Entry is one file, directory, symbolic link or device of the root.
type Entry struct {
	// Path is absolute and clean, such as "/etc/os-release".
	Path string
	// Mode holds type and permission bits (io/fs), setuid, setgid and sticky included.
	Mode     fs.FileMode
	UID, GID uint32
	// Size and Open give a regular file's content. Open may be called more than once.
	Size int64
	Open func() (io.ReadCloser, error)
	// Target of a symbolic link.
	Target string
	// Rdev of a device node.
	Rdev uint64
	// Xattrs by full name, such as "security.capability".
	Xattrs map[string]string
}
