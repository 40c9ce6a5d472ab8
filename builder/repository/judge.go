package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/hint"
)

// errNotAnnounced says that an earlier Publish of the same image was interrupted between its two halves.
var errNotAnnounced = errors.New("signed but not announced")

// judge decides whether an image may be published beside what the repository has.
func (r *Repository) judge(info bundle.Info, root *output.UpdateRoot, p PublishOptions) (warnings []string, err error) {
	fail := func(next, format string, args ...any) ([]string, error) {
		err := fmt.Errorf("cannot publish %q: "+format, append([]any{info.TargetName()}, args...)...)
		if next == "" {
			return nil, err
		}
		return nil, hint.New(err, next)
	}
	if err := bundle.CheckVersion(info.Version); err != nil {
		return nil, fmt.Errorf("cannot publish %q: %w", info.TargetName(), err)
	}
	if v := info.MinimumVersion; v != "" {
		if err := bundle.CheckVersion(v); err != nil {
			return nil, fmt.Errorf("cannot publish %q: minimum version: %w", info.TargetName(), err)
		}
		if bls.Compare(v, info.Version) >= 0 {
			return fail("", "its minimum version %s is not before it: no machine could take it", v)
		}
	}
	published, err := r.bundles()
	if err != nil {
		return nil, err
	}
	newest := ""
	for _, b := range published {
		switch {
		case b.TargetName() == info.TargetName() && b.RootHash == info.RootHash && !b.Announced && !p.Offline:
			return nil, errNotAnnounced
		case b.TargetName() == info.TargetName():
			return fail("give the image a new version: machines that have this one would never take another of the same number", "this version is published already")
		case b.RootHash == info.RootHash:
			return fail("build the image again after changing its version", "it has the root hash of %q, and the two slots of a machine must never hold the same root", b.TargetName())
		case b.Name == info.Name && b.Architecture == info.Architecture && (newest == "" || bls.Compare(b.Version, newest) > 0):
			newest = b.Version
		}
	}
	if newest != "" && bls.Compare(info.Version, newest) <= 0 {
		warnings = append(warnings, fmt.Sprintf("%s is not newer than %s, which is published: machines that run that one refuse it", info.Version, newest))
	}
	if err := r.judgeRoot(root); err != nil {
		if !p.AnyRoot {
			return fail("set update.root of the image definition to a file of "+filepath.Join(r.Dir, metadataDir)+", such as 1.root.json, and build again (or say --any-root)", "%w", err)
		}
		warnings = append(warnings, err.Error())
	}
	return warnings, nil
}

// judgeRoot tells whether machines with this root of trust can read the repository.
func (r *Repository) judgeRoot(root *output.UpdateRoot) error {
	if root == nil {
		return errors.New("the image has no root of trust, so its machines will take no update at all")
	}
	text, err := os.ReadFile(filepath.Join(r.Dir, metadataDir, rootName(root.Version)))
	if err == nil {
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) == root.SHA256 {
			return nil
		}
	}
	return errors.New("the image's root of trust is another repository's, so its machines will take no update from this one")
}

// offlineHint names the way for people whose keys lie in two places.
func offlineHint(err error, p PublishOptions) error {
	if p.Offline {
		return err
	}
	var known interface{ Hint() string }
	if errors.As(err, &known) {
		return hint.New(err, known.Hint()+"; or say --offline to sign the bundle here, and announce it with stele repo expire where the online keys are")
	}
	return err
}
