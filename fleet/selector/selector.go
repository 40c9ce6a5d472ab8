// Package selector reads label selectors in Kubernetes' syntax and says which labels they match.
//
// Syntax (Kubernetes, "Labels and Selectors"): requirements joined by commas, all of which must hold:
//
//	key=value, key==value, key!=value      equality; != also holds where the key is absent
//	key in (a,b), key notin (a,b)          sets; notin also holds where the key is absent
//	key, !key                              presence
//
// The empty selector is refused by Parse: in a fleet it would mean every machine, which must be said with Everything.
package selector

import (
	"fmt"
	"slices"
	"strings"
)

// Everything is the selector that matches all nodes.
const Everything = "*"

type operator string

const (
	in     operator = "in"
	notIn  operator = "notin"
	exists operator = "exists"
	absent operator = "!"
)

// requirement is one condition on one label.
type requirement struct {
	key    string
	op     operator
	values []string
}

// Selector is a list of requirements, all of which must hold. The zero value has none and so matches every node; Parse never returns it without an error.
type Selector struct {
	requirements []requirement
	text         string
}

// String is the selector as it was written.
func (s Selector) String() string { return s.text }

// Matches reports whether all requirements hold.
func (s Selector) Matches(labels map[string]string) bool {
	for _, r := range s.requirements {
		if !r.holds(labels) {
			return false
		}
	}
	return true
}

func (r requirement) holds(labels map[string]string) bool {
	value, present := labels[r.key]
	switch r.op {
	case in:
		return present && slices.Contains(r.values, value)
	case notIn:
		return !present || !slices.Contains(r.values, value)
	case exists:
		return present
	default:
		return !present
	}
}

// Parse reads a selector. Its errors name the place, counted in bytes from 1.
func Parse(text string) (Selector, error) {
	s := Selector{text: strings.TrimSpace(text)}
	if s.text == "" {
		return s, fmt.Errorf("the selector is empty: name labels, such as role=web, or %q for every node", Everything)
	}
	if s.text == Everything {
		return s, nil
	}
	p := parser{text: text}
	for {
		r, err := p.requirement()
		if err != nil {
			return Selector{}, fmt.Errorf("cannot read selector %q: %w", text, err)
		}
		s.requirements = append(s.requirements, r)
		if p.space(); p.at == len(text) {
			return s, nil
		}
		if !p.take(",") {
			return Selector{}, fmt.Errorf("cannot read selector %q: %w", text, p.fail("a comma or the end"))
		}
	}
}
