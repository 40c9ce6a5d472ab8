package repository

import (
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/bundle"
)

// CheckRoot tells whether root metadata can be a machine's root of trust: it is signed by its own keys, names enough keys for each role, and
// asks for consistent snapshots, the only kind of repository that machines read.
func CheckRoot(text []byte) (version int64, expires time.Time, err error) {
	if len(text) > bundle.MaxRootMetadataBytes {
		return 0, time.Time{}, fmt.Errorf("it has more than %d bytes", bundle.MaxRootMetadataBytes)
	}
	root, err := new(metadata.Metadata[metadata.RootType]).FromBytes(text)
	if err == nil {
		err = sound(root)
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("it is no root metadata: %w", err)
	}
	if err := root.VerifyDelegate(metadata.ROOT, root); err != nil {
		return 0, time.Time{}, fmt.Errorf("it is not signed by its own keys: %w", err)
	}
	if !root.Signed.ConsistentSnapshot {
		return 0, time.Time{}, errors.New("its repository has no consistent snapshots")
	}
	return root.Signed.Version, root.Signed.Expires, nil
}

// sound refuses what go-tuf 2.4.2 panics on: keys and roles that are null (FuzzCheckRoot). It also wants enough keys for each role.
func sound(root *metadata.Metadata[metadata.RootType]) error {
	for id, key := range root.Signed.Keys {
		if key == nil {
			return fmt.Errorf("key %q is null", id)
		}
	}
	for _, role := range Roles {
		keys := root.Signed.Roles[role]
		if keys == nil || keys.Threshold < 1 || len(keys.KeyIDs) < keys.Threshold {
			return fmt.Errorf("it has too few keys for role %s", role)
		}
	}
	return nil
}
