package repository

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
)

// Machine is what a bundle has to fit.
type Machine struct {
	// Image is the name of the image definition, Architecture a name of bundle.Architectures.
	Image, Architecture string
	// Version and RootHash (hex) are those that run.
	Version, RootHash string
	// SecurityFloor is the security version below which nothing is taken, not by name either.
	SecurityFloor int64
	// Rejected are the versions that are taken only when asked for by name.
	Rejected []state.Rejection
}

// Choice is what Select has found.
type Choice struct {
	// Target to take; its Path is empty where none fits.
	Target Target
	// Refused are all others with their reasons, newest version first.
	Refused []Refusal
}

// Select picks the newest version that fits, or, where a version is asked for, that one. It is pure.
func Select(t Targets, m Machine, version string) Choice {
	sorted := slices.Clone(t.List)
	slices.SortStableFunc(sorted, func(a, b Target) int { return bls.Compare(b.Info.Version, a.Info.Version) })
	var c Choice
	for _, target := range sorted {
		reason := m.refuses(target.Info, version)
		if reason == "" && c.Found() {
			reason = fmt.Sprintf("%s is newer", c.Target.Info.Version)
		}
		if reason == "" {
			c.Target = target
			continue
		}
		c.Refused = append(c.Refused, Refusal{Target: target.Info.TargetName(), Version: target.Info.Version, Reason: reason})
	}
	c.Refused = append(c.Refused, t.Refused...)
	return c
}

// Found tells whether a version fits.
func (c Choice) Found() bool { return c.Target.Path != "" }

// refuses returns why a bundle does not fit, or nothing. What can never change comes first.
func (m Machine) refuses(info bundle.Info, version string) string {
	order := bls.Compare(info.Version, m.Version)
	rejected := slices.IndexFunc(m.Rejected, func(r state.Rejection) bool { return r.Version == info.Version || r.RootHash == info.RootHash })
	switch {
	case info.Name != m.Image:
		return fmt.Sprintf("it is image %q, this machine is %q", info.Name, m.Image)
	case info.Architecture != m.Architecture:
		return fmt.Sprintf("it is for %s, this machine is %s", info.Architecture, m.Architecture)
	case version != "" && info.Version != version:
		return fmt.Sprintf("%s was asked for", version)
	case info.SecurityVersion < m.SecurityFloor:
		return fmt.Sprintf("its security version is %d, and this machine takes %d or more", info.SecurityVersion, m.SecurityFloor)
	case order == 0:
		return fmt.Sprintf("%s is running", m.Version)
	case order < 0:
		return fmt.Sprintf("it is older than %s, which is running", m.Version)
	case info.RootHash == m.RootHash:
		return fmt.Sprintf("its root is the one that is running, as version %s", m.Version)
	case info.MinimumVersion != "" && bls.Compare(m.Version, info.MinimumVersion) < 0:
		return fmt.Sprintf("it needs %s or newer to be running, and %s is", info.MinimumVersion, m.Version)
	case rejected >= 0 && version == "":
		return fmt.Sprintf("this machine has rejected it: %s", m.Rejected[rejected].Reason)
	}
	return ""
}

// Reason says in half a sentence why nothing fits: the newest version's reason, or that there is none.
func (c Choice) Reason() string {
	if len(c.Refused) == 0 {
		return "the repository is empty"
	}
	return fmt.Sprintf("%s: %s", c.Refused[0].Target, c.Refused[0].Reason)
}

// Err is nil where a version was found, and otherwise what the one who asked for it has to know.
func (c Choice) Err(version string) error {
	if c.Found() {
		return nil
	}
	if version == "" {
		return fault.New(fault.Precondition, "cannot take a version: %s", c.Reason())
	}
	var reasons []string
	for _, r := range c.Refused {
		if r.Version == version {
			reasons = append(reasons, r.Target+": "+r.Reason)
		}
	}
	if len(reasons) == 0 {
		return fault.New(fault.NotFound, "cannot take version %q: the repository does not have it", version)
	}
	return fault.New(fault.Precondition, "cannot take version %q: %s", version, strings.Join(reasons, "; "))
}
