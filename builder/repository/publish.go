package repository

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/bundle"
)

// PublishOptions are what a person decides about a version.
type PublishOptions struct {
	// MinimumVersion that a machine must run to take this one; empty: any.
	MinimumVersion string
	// Offline signs the targets alone: the version is announced by the next Expire with the online keys.
	Offline bool
	// AnyRoot publishes an image although its machines will not take another update from this repository.
	AnyRoot bool
}

// Publish makes a bundle of a built image and signs it. An interrupted Publish has published nothing, or is finished by the next one.
func (r *Repository) Publish(ctx context.Context, dir string, p PublishOptions) (bundle.Info, error) {
	roles := []string{metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}
	if p.Offline {
		roles = roles[:1]
	}
	if err := r.Keys.needs(r.state.root, roles...); err != nil {
		return bundle.Info{}, offlineHint(err, p)
	}
	i, err := openImage(dir)
	if err != nil {
		return bundle.Info{}, err
	}
	defer i.close()
	info := bundle.Info{
		Name: i.manifest.Name, Version: i.manifest.Version, Architecture: i.manifest.Architecture,
		MinimumVersion: p.MinimumVersion, SecurityVersion: i.manifest.SecurityVersion, RootHash: i.manifest.RootHash,
	}
	warnings, err := r.judge(info, i.manifest.UpdateRoot, p)
	if errors.Is(err, errNotAnnounced) {
		r.note("%s was signed already, and is announced now", info.TargetName())
		return info, r.announce(ctx)
	}
	if err != nil {
		return bundle.Info{}, err
	}
	for _, w := range warnings {
		r.report("warning: %s", w)
	}
	if err := i.verify(ctx); err != nil {
		return bundle.Info{}, err
	}
	return r.add(ctx, i, info, p.Offline)
}

// add writes bundle, targets, snapshot and timestamp, in this order.
func (r *Repository) add(ctx context.Context, i *image, info bundle.Info, offline bool) (bundle.Info, error) {
	info, target, err := r.writeBundle(ctx, i, info)
	if err != nil {
		return info, err
	}
	targets, err := r.nextTargets(ctx, r.present, func(all map[string]*metadata.TargetFiles) { all[info.TargetName()] = target })
	if err != nil {
		return info, err
	}
	files := []file{targets}
	if !offline {
		more, err := r.announcement(ctx, r.present)
		if err != nil {
			return info, err
		}
		files = append(files, more...)
	}
	return info, r.commit(files)
}

func (r *Repository) announce(ctx context.Context) error {
	files, err := r.announcement(ctx, r.present)
	if err != nil {
		return err
	}
	return r.commit(files)
}

// writeBundle writes the bundle under a name that nobody looks for, and renames it when its digests are known and right.
func (r *Repository) writeBundle(ctx context.Context, i *image, info bundle.Info) (bundle.Info, *metadata.TargetFiles, error) {
	dir := filepath.Join(r.Dir, targetsDir)
	unfinished := filepath.Join(dir, "."+info.TargetName())
	digest := sha256.New()
	var need int64
	for _, name := range bundled {
		a, _ := i.manifest.Artifact(name)
		need += a.SizeBytes
	}
	if err := r.before(unfinished); err != nil {
		return info, nil, err
	}
	err := atomicfile.Write(unfinished, need, func(f *os.File) (err error) {
		if info, err = bundle.Write(ctx, io.MultiWriter(f, digest), i.sources(), info); err != nil {
			return err
		}
		return i.matches(info)
	})
	if err != nil {
		return info, nil, err
	}
	target, err := targetOf(info, digest.Sum(nil))
	if err != nil {
		return info, nil, err
	}
	final := filepath.Join(dir, fileName(info.TargetName(), target))
	if err := r.before(final); err != nil {
		return info, nil, err
	}
	if err := os.Rename(unfinished, final); err != nil {
		return info, nil, fmt.Errorf("cannot publish bundle: %w", err)
	}
	return info, target, syncDir(dir)
}

// targetOf is what targets metadata says about a bundle.
func targetOf(info bundle.Info, digest []byte) (*metadata.TargetFiles, error) {
	custom, err := info.Encode()
	if err != nil {
		return nil, err
	}
	raw := json.RawMessage(custom)
	return &metadata.TargetFiles{Length: info.BundleBytes, Hashes: metadata.Hashes{"sha256": digest}, Custom: &raw}, nil
}

// fileName of a target with consistent snapshots (TUF specification 1.0.33, 6.2).
func fileName(target string, t *metadata.TargetFiles) string {
	return hex.EncodeToString(t.Hashes["sha256"]) + "." + target
}
