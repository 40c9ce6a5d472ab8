package repository

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
)

// Listing is what a repository holds.
type Listing struct {
	Roles   []RoleStatus `json:"roles"`
	Bundles []Published  `json:"bundles"`
}

// RoleStatus is one role.
type RoleStatus struct {
	Role      string    `json:"role"`
	Version   int64     `json:"version"`
	Expires   time.Time `json:"expires"`
	Expired   bool      `json:"expired"`
	Threshold int       `json:"threshold"`
	KeyIDs    []string  `json:"keyIDs"`
}

// Published is one bundle.
type Published struct {
	bundle.Info
	// File below the repository.
	File string `json:"file"`
	// Announced: machines can see it.
	Announced bool `json:"announced"`
}

// List describes the repository.
func (r *Repository) List() (Listing, error) {
	now := r.Now()
	var l Listing
	for _, role := range Roles {
		keys := r.state.root.Signed.Roles[role]
		s := RoleStatus{Role: role, Threshold: keys.Threshold, KeyIDs: keys.KeyIDs}
		switch role {
		case metadata.ROOT:
			s.Version, s.Expires = r.state.root.Signed.Version, r.state.root.Signed.Expires
		case metadata.TARGETS:
			s.Version, s.Expires = r.state.targets.Signed.Version, r.state.targets.Signed.Expires
		case metadata.SNAPSHOT:
			s.Version, s.Expires = r.state.snapshot.Signed.Version, r.state.snapshot.Signed.Expires
		case metadata.TIMESTAMP:
			s.Version, s.Expires = r.state.timestamp.Signed.Version, r.state.timestamp.Signed.Expires
		}
		s.Expired = !now.Before(s.Expires)
		l.Roles = append(l.Roles, s)
	}
	var err error
	l.Bundles, err = r.bundles()
	return l, err
}

// bundles are all targets, by name and architecture, the newest version first.
func (r *Repository) bundles() ([]Published, error) {
	announced := r.state.announced()
	var all []Published
	for _, name := range slices.Sorted(maps.Keys(r.state.targets.Signed.Targets)) {
		t := r.state.targets.Signed.Targets[name]
		if t == nil || t.Custom == nil {
			return nil, fmt.Errorf("cannot read target %q: it says nothing about a bundle", name)
		}
		info, err := bundle.DecodeInfo(*t.Custom)
		if err != nil {
			return nil, fmt.Errorf("cannot read target %q: %w", name, err)
		}
		all = append(all, Published{Info: info, File: targetsDir + "/" + fileName(name, t), Announced: announced[name]})
	}
	slices.SortStableFunc(all, func(a, b Published) int {
		if c := strings.Compare(a.Name+"/"+a.Architecture, b.Name+"/"+b.Architecture); c != 0 {
			return c
		}
		return bls.Compare(b.Version, a.Version)
	})
	return all, nil
}

// Write prints the listing as tables.
func (l Listing) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROLE\tVERSION\tEXPIRES\tSIGNATURES\tKEYS")
	for _, s := range l.Roles {
		expires := s.Expires.Format("2006-01-02 15:04 MST")
		if s.Expired {
			expires += " (expired)"
		}
		var keys []string
		for _, id := range s.KeyIDs {
			keys = append(keys, short(id))
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%d of %d\t%s\n", s.Role, s.Version, expires, s.Threshold, len(s.KeyIDs), strings.Join(keys, " "))
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "NAME\tVERSION\tARCHITECTURE\tMINIMUM\tMIB\tROOT HASH\tSTATE")
	for _, b := range l.Bundles {
		state := "published"
		if !b.Announced {
			state = "signed, not announced"
		}
		minimum := b.MinimumVersion
		if minimum == "" {
			minimum = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.1f\t%s\t%s\n", b.Name, b.Version, b.Architecture, minimum, float64(b.BundleBytes)/(1<<20), short(b.RootHash), state)
	}
	return t.Flush()
}
