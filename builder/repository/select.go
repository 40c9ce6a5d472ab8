package repository

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/hint"
)

// Selector names one bundle. What is empty does not matter.
type Selector struct {
	Name, Version, Architecture string
}

// choose returns the one bundle that a selector means.
func (r *Repository) choose(s Selector) (Published, error) {
	all, err := r.bundles()
	if err != nil {
		return Published{}, err
	}
	var found []Published
	var names []string
	for _, b := range all {
		if (s.Name == "" || s.Name == b.Name) && (s.Version == "" || s.Version == b.Version) && (s.Architecture == "" || s.Architecture == b.Architecture) {
			found = append(found, b)
			names = append(names, b.TargetName())
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Published{}, hint.New(fmt.Errorf("cannot find version %q in repository %q", s.Version, r.Dir), "stele repo list "+r.Dir+" shows what it has")
	}
	return Published{}, hint.New(fmt.Errorf("cannot choose between %s", strings.Join(names, ", ")), "add --name or --architecture")
}
