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

// Expire signs roles anew, so that they expire later. A role whose metadata is named by another one's brings that one with it. Targets that
// no snapshot names yet are announced by that.
func (r *Repository) Expire(ctx context.Context, roles []string) error {
	for _, role := range roles {
		if !slices.Contains(Roles, role) {
			return hint.New(fmt.Errorf("cannot renew role %q: there is no such role", role), "roles are "+strings.Join(Roles, ", "))
		}
	}
	if len(roles) == 0 {
		return hint.New(errors.New("cannot renew roles: none is named"), "name roles with --role")
	}
	roles = slices.Clone(roles)
	if slices.Contains(roles, metadata.TARGETS) || r.state.pending || r.state.stale {
		roles = append(roles, metadata.SNAPSHOT)
	}
	if slices.Contains(roles, metadata.SNAPSHOT) {
		roles = append(roles, metadata.TIMESTAMP)
	}
	if err := r.Keys.needs(r.state.root, slices.Compact(slices.Sorted(slices.Values(roles)))...); err != nil {
		return err
	}
	var files []file
	for _, role := range Roles {
		if !slices.Contains(roles, role) {
			continue
		}
		f, err := r.renew(ctx, role)
		if err != nil {
			return err
		}
		files = append(files, f)
		r.note("%s: %s, expires %s", role, f.name, r.expiresAt(role).Format("2006-01-02 15:04 MST"))
	}
	return r.commit(files)
}

func (r *Repository) renew(ctx context.Context, role string) (file, error) {
	switch role {
	case metadata.ROOT:
		next, err := r.nextRoot()
		if err != nil {
			return file{}, err
		}
		return r.signRoot(ctx, next)
	case metadata.TARGETS:
		return r.nextTargets(ctx, r.present, func(map[string]*metadata.TargetFiles) {})
	case metadata.SNAPSHOT:
		return r.nextSnapshot(ctx, r.present)
	}
	return r.nextTimestamp(ctx, r.present)
}
