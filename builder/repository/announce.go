package repository

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/hint"
)

// signatures says by which keys a role's metadata is to be signed.
type signatures func(role string) ([]string, error)

// present are the keys of the newest root.
func (r *Repository) present(role string) ([]string, error) {
	return r.Keys.needed(r.state.root, role)
}

// nextTargets is the next version of the targets, signed; change makes the difference.
func (r *Repository) nextTargets(ctx context.Context, keys signatures, change func(targets map[string]*metadata.TargetFiles)) (file, error) {
	next := *r.state.targets
	next.Signed.Targets = map[string]*metadata.TargetFiles{}
	for name, t := range r.state.targets.Signed.Targets {
		next.Signed.Targets[name] = t
	}
	change(next.Signed.Targets)
	next.Signed.Version++
	next.Signed.Expires = r.expiresAt(metadata.TARGETS)
	text, err := signed(ctx, r.Keys, &next, keys, metadata.TARGETS)
	if err != nil {
		return file{}, err
	}
	if n := len(next.Signed.Targets); n > bundle.MaxTargets || len(text) > bundle.MaxTargetsMetadataBytes {
		err := fmt.Errorf("cannot sign %d versions in %d bytes of targets metadata: machines read at most %d in %d", n, len(text), bundle.MaxTargets, bundle.MaxTargetsMetadataBytes)
		return file{}, hint.New(err, "take old versions out first: stele repo remove "+r.Dir+" --version VERSION")
	}
	r.state.targets, r.state.targetsText, r.state.pending = &next, text, true
	return file{targetsName(next.Signed.Version), text}, nil
}

// nextSnapshot names the newest targets.
func (r *Repository) nextSnapshot(ctx context.Context, keys signatures) (file, error) {
	next := *r.state.snapshot
	next.Signed.Version++
	next.Signed.Expires = r.expiresAt(metadata.SNAPSHOT)
	next.Signed.Meta = map[string]*metadata.MetaFiles{"targets.json": metaFile(r.state.targets.Signed.Version, r.state.targetsText)}
	text, err := signed(ctx, r.Keys, &next, keys, metadata.SNAPSHOT)
	if err != nil {
		return file{}, err
	}
	timestamp := *r.state.timestamp
	timestamp.Signed.Meta = map[string]*metadata.MetaFiles{"snapshot.json": metaFile(next.Signed.Version, text)}
	r.state.snapshot, r.state.timestamp, r.state.pending = &next, &timestamp, false
	return file{snapshotName(next.Signed.Version), text}, nil
}

// nextTimestamp names the newest snapshot, and is written last.
func (r *Repository) nextTimestamp(ctx context.Context, keys signatures) (file, error) {
	next := *r.state.timestamp
	next.Signed.Version++
	next.Signed.Expires = r.expiresAt(metadata.TIMESTAMP)
	text, err := signed(ctx, r.Keys, &next, keys, metadata.TIMESTAMP)
	if err != nil {
		return file{}, err
	}
	r.state.timestamp = &next
	return file{timestampFile, text}, nil
}

// announcement is a new snapshot and a new timestamp.
func (r *Repository) announcement(ctx context.Context, keys signatures) ([]file, error) {
	snapshot, err := r.nextSnapshot(ctx, keys)
	if err != nil {
		return nil, err
	}
	timestamp, err := r.nextTimestamp(ctx, keys)
	return []file{snapshot, timestamp}, err
}

func signed[T metadata.Roles](ctx context.Context, k *Keyring, m *metadata.Metadata[T], keys signatures, role string) ([]byte, error) {
	ids, err := keys(role)
	if err != nil {
		return nil, err
	}
	if err := sign(ctx, k, m, ids...); err != nil {
		return nil, err
	}
	return encode(m)
}

func metaFile(version int64, text []byte) *metadata.MetaFiles {
	sum := sha256.Sum256(text)
	m := metadata.MetaFile(version)
	m.Length, m.Hashes = int64(len(text)), metadata.Hashes{"sha256": sum[:]}
	return m
}
