package kconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Conflict is an option that two fragments want differently, the later one without "override:".
type Conflict struct{ Earlier, Later Option }

func (e *Conflict) Error() string {
	return fmt.Sprintf("%s:%d: %s=%s contradicts %s:%d, which wants %s; if that is meant, begin its reason with %q",
		e.Later.Fragment, e.Later.Line, e.Later.Name, e.Later.Value,
		e.Earlier.Fragment, e.Earlier.Line, e.Earlier.Value, overrideMark)
}

// Merge combines fragments in their order. An option keeps the place where it was first wanted; who wants it the same
// again changes nothing, who wants it differently must say override. All conflicts are reported at once.
func Merge(fragments ...Fragment) ([]Option, error) {
	var merged []Option
	place := map[string]int{}
	var errs []error
	for _, fragment := range fragments {
		for _, option := range fragment.Options {
			at, known := place[option.Name]
			switch {
			case !known:
				place[option.Name] = len(merged)
				merged = append(merged, option)
			case merged[at].Value == option.Value:
			case option.Override:
				merged[at] = option
			default:
				errs = append(errs, &Conflict{Earlier: merged[at], Later: option})
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return merged, nil
}

// Format writes options as the kernel's KCONFIG_ALLCONFIG reads them: without reasons, which it would not accept, and sorted, so
// that moving an option from one fragment to another does not look like another kernel.
func Format(options []Option) []byte {
	sorted := slices.SortedFunc(slices.Values(options), func(a, b Option) int { return strings.Compare(a.Name, b.Name) })
	var text strings.Builder
	for _, option := range sorted {
		fmt.Fprintf(&text, "%s=%s\n", option.Name, option.Value)
	}
	return []byte(text.String())
}
