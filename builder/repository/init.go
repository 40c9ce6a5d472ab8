package repository

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/hint"
)

// RoleKeys says which keys a role gets.
type RoleKeys struct {
	// Threshold of signatures; 0: 1.
	Threshold int
	// Sources of keys that exist (see Keyring.Add).
	Sources []string
	// Make is how many new keys are made beside them; 0 without Sources: 1.
	Make int
}

// Init makes an empty repository, and the keys that roles have no source for.
func Init(ctx context.Context, o Options, roles map[string]RoleKeys) error {
	if err := o.prepare(); err != nil {
		return err
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(o.Dir, metadataDir, rootName(1))); !errors.Is(err, fs.ErrNotExist) {
		return hint.New(fmt.Errorf("cannot make repository %q: there is one already", o.Dir), "choose another directory; stele repo list "+o.Dir+" shows what it holds")
	}
	root := metadata.Root(o.expiresAt(metadata.ROOT))
	for _, role := range Roles {
		if err := o.fillRole(ctx, root, role, roles[role]); err != nil {
			return err
		}
	}
	return o.writeFirst(ctx, root)
}

// prepare makes the directories, and refuses keys that a web server would serve.
func (o Options) prepare() error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	for _, keys := range o.Keys.dirs {
		at, err := filepath.Abs(keys)
		if err != nil {
			return err
		}
		if at == dir || strings.HasPrefix(at, dir+string(filepath.Separator)) {
			return hint.New(fmt.Errorf("cannot keep keys in %q: it lies inside of the repository, which everybody can read", keys), "choose a directory elsewhere, best on a medium that is not always there")
		}
	}
	for _, sub := range []string{metadataDir, targetsDir} {
		if err := os.MkdirAll(filepath.Join(o.Dir, sub), 0o755); err != nil {
			return fmt.Errorf("cannot make repository: %w", err)
		}
	}
	return nil
}

func (o Options) fillRole(ctx context.Context, root *metadata.Metadata[metadata.RootType], role string, keys RoleKeys) error {
	if len(keys.Sources) == 0 && keys.Make == 0 {
		keys.Make = 1
	}
	if keys.Threshold == 0 {
		keys.Threshold = 1
	}
	count := len(keys.Sources) + keys.Make
	if keys.Threshold < 0 || keys.Threshold > count {
		err := fmt.Errorf("cannot set up role %s: a threshold of %d needs as many keys, and it has %d", role, keys.Threshold, count)
		return hint.New(err, fmt.Sprintf("give it more keys with --%s-keys or --key %s=SOURCE", role, role))
	}
	for i := range count {
		var key *metadata.Key
		var err error
		if i < len(keys.Sources) {
			key, err = o.Keys.use(ctx, keys.Sources[i])
		} else {
			key, err = o.Keys.make(role)
		}
		if err != nil {
			return err
		}
		if err := root.Signed.AddKey(key, role); err != nil {
			return fmt.Errorf("cannot set up role %s: %w", role, err)
		}
	}
	if distinct := len(root.Signed.Roles[role].KeyIDs); distinct < count {
		return fmt.Errorf("cannot set up role %s: %d of its %d keys are the same", role, count-distinct+1, count)
	}
	root.Signed.Roles[role].Threshold = keys.Threshold
	return nil
}

// writeFirst writes version 1 of everything. The root comes last: without it there is no repository.
func (o Options) writeFirst(ctx context.Context, root *metadata.Metadata[metadata.RootType]) error {
	ids, err := o.Keys.needed(root, metadata.ROOT)
	if err != nil {
		return err
	}
	if err := sign(ctx, o.Keys, root, ids...); err != nil {
		return err
	}
	rootText, err := encode(root)
	if err != nil {
		return err
	}
	// The next version of nothing is the first.
	r := &Repository{Options: o, state: &state{
		root: root, targets: metadata.Targets(o.expiresAt(metadata.TARGETS)), snapshot: metadata.Snapshot(o.expiresAt(metadata.SNAPSHOT)),
		timestamp: metadata.Timestamp(o.expiresAt(metadata.TIMESTAMP)),
	}}
	r.state.targets.Signed.Version, r.state.snapshot.Signed.Version, r.state.timestamp.Signed.Version = 0, 0, 0
	targets, err := r.nextTargets(ctx, r.present, func(map[string]*metadata.TargetFiles) {})
	if err != nil {
		return err
	}
	files, err := r.announcement(ctx, r.present)
	if err != nil {
		return err
	}
	return o.writeAll(append(append([]file{targets}, files...), file{rootName(1), rootText}))
}
