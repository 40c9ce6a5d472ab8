package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/hint"
)

// Rotation changes a role's keys.
type Rotation struct {
	Role string
	// Replace is the beginning of the ID of the key that goes; empty: the role's only one.
	Replace string
	// Add keeps all keys and adds one.
	Add bool
	// Source of the new key; empty: one is made.
	Source string
	// Threshold becomes the role's, if not 0.
	Threshold int
}

// Rotate changes keys in one new version of the root, signed by the old root keys and, where those change, by the new ones (TUF
// specification 1.0.33, 5.3 and 6.1). What changed roles have signed is signed anew.
func (r *Repository) Rotate(ctx context.Context, rotations []Rotation) error {
	if err := r.Keys.needs(r.state.root, r.untouched(rotations)...); err != nil {
		return err
	}
	next, err := r.nextRoot()
	if err != nil {
		return err
	}
	old := r.state.root
	for _, one := range rotations {
		if err := r.rotate(ctx, next, one); err != nil {
			return err
		}
	}
	again := r.resigned(rotations)
	if err := r.Keys.needs(next, again...); err != nil {
		return err
	}
	root, err := r.signRoot(ctx, next)
	if err != nil {
		return err
	}
	files, bridged, err := r.resign(ctx, old, next, again)
	if err != nil {
		return err
	}
	return r.commit(inOrder(files, root, bridged))
}

// inOrder puts the new root where a client of either root finds what it can verify: behind the timestamp when that bears the signatures of
// old and new keys, and otherwise directly before it.
func inOrder(files []file, root file, bridged bool) []file {
	if bridged || len(files) == 0 {
		return append(files, root)
	}
	return slices.Insert(files, len(files)-1, root)
}

// resigned are the roles whose metadata has to be made anew.
func (r *Repository) resigned(rotations []Rotation) []string {
	from := len(Roles)
	for _, one := range rotations {
		if at := slices.Index(Roles, one.Role); at > 0 {
			from = min(from, at)
		}
	}
	if r.state.stale || r.state.pending {
		from = min(from, slices.Index(Roles, metadata.SNAPSHOT))
	}
	return slices.Clone(Roles[from:])
}

// untouched are the roles that have to sign with keys they have already: before a new key is made, it is known that they can.
func (r *Repository) untouched(rotations []Rotation) []string {
	return slices.DeleteFunc(append(r.resigned(rotations), metadata.ROOT), func(role string) bool {
		return role != metadata.ROOT && slices.ContainsFunc(rotations, func(one Rotation) bool { return one.Role == role })
	})
}

// resign signs roles by the keys of both roots where the old ones are given. bridged says whether they were.
func (r *Repository) resign(ctx context.Context, old, next *metadata.Metadata[metadata.RootType], roles []string) (files []file, bridged bool, err error) {
	bridged = true
	keys := func(role string) ([]string, error) {
		ids, err := r.Keys.needed(next, role)
		before := r.Keys.has(old.Signed.Roles[role].KeyIDs)
		if n := old.Signed.Roles[role].Threshold; len(before) >= n {
			return append(ids, before[:n]...), err
		}
		bridged = false
		return ids, err
	}
	for _, role := range roles {
		var f file
		switch role {
		case metadata.TARGETS:
			f, err = r.nextTargets(ctx, keys, func(map[string]*metadata.TargetFiles) {})
		case metadata.SNAPSHOT:
			f, err = r.nextSnapshot(ctx, keys)
		case metadata.TIMESTAMP:
			f, err = r.nextTimestamp(ctx, keys)
		}
		if err != nil {
			return nil, false, err
		}
		files = append(files, f)
	}
	return files, bridged, nil
}

// nextRoot is a copy of the root with the next version.
func (r *Repository) nextRoot() (*metadata.Metadata[metadata.RootType], error) {
	text, err := r.state.root.ToBytes(false)
	if err != nil {
		return nil, fmt.Errorf("cannot copy root: %w", err)
	}
	next, err := new(metadata.Metadata[metadata.RootType]).FromBytes(text)
	if err != nil {
		return nil, fmt.Errorf("cannot copy root: %w", err)
	}
	next.Signed.Version++
	next.Signed.Expires = r.expiresAt(metadata.ROOT)
	return next, nil
}

// signRoot signs a new root by the present root's keys and its own.
func (r *Repository) signRoot(ctx context.Context, next *metadata.Metadata[metadata.RootType]) (file, error) {
	before, err := r.Keys.needed(r.state.root, metadata.ROOT)
	if err != nil {
		return file{}, err
	}
	own, err := r.Keys.needed(next, metadata.ROOT)
	if err != nil {
		return file{}, err
	}
	if err := sign(ctx, r.Keys, next, append(before, own...)...); err != nil {
		return file{}, err
	}
	text, err := encode(next)
	if err != nil {
		return file{}, err
	}
	r.state.before, r.state.root = r.state.root, next
	return file{rootName(next.Signed.Version), text}, nil
}

func (r *Repository) rotate(ctx context.Context, next *metadata.Metadata[metadata.RootType], one Rotation) error {
	fail := func(err error) error { return fmt.Errorf("cannot rotate key of %s: %w", one.Role, err) }
	role := next.Signed.Roles[one.Role]
	if role == nil {
		return fail(fmt.Errorf("there is no such role; roles are %s", strings.Join(Roles, ", ")))
	}
	gone, err := one.gone(role.KeyIDs)
	if err != nil {
		return fail(err)
	}
	var key *metadata.Key
	if one.Source != "" {
		key, err = r.Keys.use(ctx, one.Source)
	} else {
		key, err = r.Keys.make(one.Role)
	}
	if err != nil {
		return err
	}
	if gone != "" {
		if err := next.Signed.RevokeKey(gone, one.Role); err != nil {
			return fail(err)
		}
	}
	count := len(role.KeyIDs)
	if err := next.Signed.AddKey(key, one.Role); err != nil {
		return fail(err)
	}
	if len(role.KeyIDs) == count {
		return fail(errors.New("the new key has the role already"))
	}
	if one.Threshold != 0 {
		role.Threshold = one.Threshold
	}
	if role.Threshold < 1 || role.Threshold > len(role.KeyIDs) {
		return fail(fmt.Errorf("a threshold of %d does not fit %d keys", role.Threshold, len(role.KeyIDs)))
	}
	r.note("%s: key %s", one.Role, describe(gone, role.KeyIDs))
	return nil
}

func describe(gone string, ids []string) string {
	added := short(ids[len(ids)-1])
	if gone == "" {
		return added + " added"
	}
	return added + " in place of " + short(gone)
}

// gone is the key that the rotation takes away.
func (o Rotation) gone(ids []string) (string, error) {
	if o.Add {
		return "", nil
	}
	var found []string
	for _, id := range ids {
		if strings.HasPrefix(id, o.Replace) {
			found = append(found, id)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var all []string
	for _, id := range ids {
		all = append(all, short(id))
	}
	return "", hint.New(fmt.Errorf("%d of its keys %s begin with %q", len(found), strings.Join(all, ", "), o.Replace), "say which one with --replace ID, or --add to keep them all")
}
