package containerd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolterrors "go.etcd.io/bbolt/errors"
)

// ExitCorrupt is containerd's exit code when its database is no database (EX_DATAERR of sysexits.h): a power cut while it was first
// written leaves a file of zeros, and no later start would get past it.
const ExitCorrupt = 65

// exitCode of containerd for an error that ends it.
func exitCode(err error) int {
	for _, corrupt := range []error{bolterrors.ErrInvalid, bolterrors.ErrChecksum, bolterrors.ErrVersionMismatch} {
		if errors.Is(err, corrupt) {
			return ExitCorrupt
		}
	}
	return 1
}

// DiscardDatabase removes the database of containerd. What it knew of is made or pulled again; blobs and snapshots that nobody knows any more
// are containerd's to collect.
func (c Config) DiscardDatabase() error {
	path := filepath.Join(c.Root, "io.containerd.metadata.v1.bolt", "meta.db")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("cannot remove the corrupt database %q: %w", path, err)
	}
	return nil
}
