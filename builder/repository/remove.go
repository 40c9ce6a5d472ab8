package repository

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Remove takes a version out of the repository: machines that have it keep it, others do not find it any more. The bundle is deleted when
// no metadata names it, unless it is to be kept.
func (r *Repository) Remove(ctx context.Context, s Selector, keepFile bool) (Published, error) {
	if err := r.Keys.needs(r.state.root, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP); err != nil {
		return Published{}, err
	}
	gone, err := r.choose(s)
	if err != nil {
		return gone, err
	}
	targets, err := r.nextTargets(ctx, r.present, func(all map[string]*metadata.TargetFiles) { delete(all, gone.TargetName()) })
	if err != nil {
		return gone, err
	}
	files, err := r.announcement(ctx, r.present)
	if err != nil {
		return gone, err
	}
	if err := r.writeAll(append([]file{targets}, files...)); err != nil || keepFile {
		return gone, err
	}
	if err := os.Remove(filepath.Join(r.Dir, filepath.FromSlash(gone.File))); err != nil {
		return gone, fmt.Errorf("cannot remove bundle: %w", err)
	}
	return gone, nil
}
