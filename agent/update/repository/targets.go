package repository

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/bundle"
)

// Targets is what a repository holds, verified.
type Targets struct {
	// List is sorted by path.
	List []Target
	// Refused are targets that are no bundles which this version understands.
	Refused []Refusal
	// Expires is when the repository must have been signed anew, by its first part.
	Expires time.Time
	// ClockDoubt tells why nobody knows whether that moment has come; empty: it has not.
	ClockDoubt string
}

// Target is one bundle of a repository.
type Target struct {
	// Path for Source.Open.
	Path string
	Info bundle.Info
	// SHA256 of the whole file, hex. Its parts are verified by Info alone.
	SHA256 string
}

// Refusal is a bundle that is not taken, and why.
type Refusal struct {
	// Target is the name in the repository; Version is empty where the information says none.
	Target, Version string
	// Reason is half a sentence: "it is older than 1.2.0, which is running".
	Reason string
}

// result sorts what targets.json lists into bundles and what is none.
func (r *refresh) result() (Targets, error) {
	signed := r.trusted.Targets[metadata.TARGETS].Signed
	if len(signed.Targets) > maxTargets {
		return Targets{}, r.explain(r.refuse("metadata/targets.json", fmt.Errorf("it lists %d targets, more than %d", len(signed.Targets), maxTargets)))
	}
	t := Targets{ClockDoubt: r.doubt, Expires: slices.MinFunc([]time.Time{
		r.trusted.Root.Signed.Expires, r.trusted.Timestamp.Signed.Expires, r.trusted.Snapshot.Signed.Expires, signed.Expires}, time.Time.Compare)}
	for name, file := range signed.Targets {
		target, err := newTarget(name, file)
		if err != nil {
			t.Refused = append(t.Refused, Refusal{Target: name, Reason: err.Error()})
			continue
		}
		t.List = append(t.List, target)
	}
	slices.SortFunc(t.List, func(a, b Target) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(t.Refused, func(a, b Refusal) int { return cmp.Compare(a.Target, b.Target) })
	return t, nil
}

// newTarget checks that name, length and information agree. The name has the characters of a valid Info only, so the path is one of a file
// in targets/.
func newTarget(name string, file *metadata.TargetFiles) (Target, error) {
	if file.Custom == nil {
		return Target{}, errors.New("it has no custom field")
	}
	info, err := bundle.DecodeInfo(*file.Custom)
	if err != nil {
		return Target{}, err
	}
	sum := file.Hashes["sha256"]
	switch {
	case info.TargetName() != name:
		return Target{}, fmt.Errorf("its information is that of %q", info.TargetName())
	case info.BundleBytes != file.Length:
		return Target{}, fmt.Errorf("its length is %d, its information says %d", file.Length, info.BundleBytes)
	case len(sum) != 32:
		return Target{}, errors.New("it has no SHA-256")
	}
	digest := hex.EncodeToString(sum)
	return Target{Path: "targets/" + digest + "." + name, Info: info, SHA256: digest}, nil
}
