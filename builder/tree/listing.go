package tree

import (
	"fmt"
	"io/fs"
	"strings"
)

// Listing gives one line an entry: mode, owner, kind, path, and where a link leads. Goldens and people read it.
func (t *Tree) Listing() string {
	var b strings.Builder
	for _, e := range t.Entries() {
		fmt.Fprintf(&b, "%04o %d:%d %s %s", unixMode(e.Mode), e.UID, e.GID, kind(e.Mode), e.Path)
		if e.Mode.Type() == fs.ModeSymlink {
			fmt.Fprintf(&b, " -> %s", e.Target)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// unixMode gives permission, setuid, setgid and sticky bits as chmod(2) takes them.
func unixMode(m fs.FileMode) uint32 {
	u := uint32(m.Perm())
	for bit, unix := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			u |= unix
		}
	}
	return u
}
