package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// shownSeconds is what a test must have taken to be in the table.
const shownSeconds = 5

// Table shows parts in the order in which they ran, the packages of each, and the tests that took long, the longest first.
func Table(parts []Part) string {
	var text strings.Builder
	var total float64
	row := func(seconds float64, format string, args ...any) {
		fmt.Fprintf(&text, "%9.1f  %s\n", seconds, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&text, "\n%9s  part\n", "seconds")
	for _, p := range parts {
		row(p.Seconds, "%s", p.Name)
		total += p.Seconds
	}
	row(total, "in all (%d min %02d s)", int(total)/60, int(total)%60)
	fmt.Fprintf(&text, "\n%9s  package or test of %d s and more\n", "seconds", shownSeconds)
	var long []Test
	shorter, seconds := 0, 0.0
	for _, p := range parts {
		for _, t := range p.Tests {
			if t.Seconds >= shownSeconds {
				long = append(long, t)
			} else if t.Name == "" {
				shorter, seconds = shorter+1, seconds+t.Seconds
			}
		}
	}
	slices.SortStableFunc(long, func(a, b Test) int { return cmp.Compare(b.Seconds, a.Seconds) })
	for _, t := range long {
		row(t.Seconds, "%s", strings.TrimSpace(short(t.Package)+" "+t.Name))
	}
	if shorter > 0 {
		row(seconds, "%d other packages", shorter)
	}
	return text.String()
}

// short is a package without the module's name.
func short(name string) string {
	if _, rest, found := strings.Cut(name, "/stele/"); found {
		return rest
	}
	return path.Base(name)
}
