package containers

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// prefetch asks the kernel to read files in the background: runc while the machine waits for its document, and a container's program while its
// shim starts. Read on demand, page after page by way of dm-verity, they cost most of a cold start. Files that are missing are no matter.
func prefetch(paths ...string) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			_ = unix.Fadvise(int(f.Fd()), 0, info.Size(), unix.FADV_WILLNEED)
		}
		f.Close()
	}
}

// program is the file of a baked image that a command line begins with, or "" where that cannot be told without searching.
func program(lower string, args []string) string {
	if len(args) == 0 || !filepath.IsAbs(args[0]) {
		return ""
	}
	return filepath.Join(lower, filepath.Clean(args[0]))
}
