package bls

import (
	"cmp"
	"os/exec"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

// The specification's own comparisons (UAPI.10, "Examples").
var comparisons = []string{
	"11 == 11", "systemd-123 == systemd-123", "bar-123 < foo-123", "123a > 123", "123.a > 123", "123.a < 123.b", "123a > 123.a", "11α == 11β",
	"B < a", " < 0", "0. > 0", "0.0 > 0", "0 > ~", " > ~",
	// Leading zeros, long numbers, dropped characters, and what the loader would make of a counter.
	"1.02 == 1.2", "0 == 00", "18446744073709551616 > 18446744073709551615", "1_2 == 1+2", "1.0.0 < 1.0.0+1", "1.10 > 1.9", "1.1.0~rc1 < 1.1.0",
	"1.0^1 > 1.0-1", "1..1 < 1.1", "abc < abcd", "~ == ~", "~~ > ~", "- > ", "1- > 1",
}

// ascending is the specification's list, oldest first (UAPI.10, "Sorting Algorithm").
var ascending = []string{
	"122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1", "123-1.1", "123^post1", "123.a-1", "123.1-1", "123a-1", "124-1",
}

func TestCompare(t *testing.T) {
	for _, c := range comparisons {
		a, sign, b := cut(c)
		if got := Compare(a, b); got != sign || Compare(b, a) != -sign {
			t.Errorf("%s: %d and %d", c, got, Compare(b, a))
		}
	}
	for i, a := range ascending {
		for k, b := range ascending {
			if got := Compare(a, b); got != cmp.Compare(i, k) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
}

// cut takes "a < b" apart.
func cut(c string) (a string, sign int, b string) {
	for op, sign := range map[string]int{" < ": -1, " == ": 0, " > ": 1} {
		if a, b, ok := strings.Cut(c, op); ok {
			return a, sign, b
		}
	}
	panic(c)
}

func TestSystemdAnalyzeAgrees(t *testing.T) {
	tool := oracle.Tool(t, "systemd-analyze")
	check := func(a, b string) {
		t.Helper()
		if a == "" || b == "" || strings.HasPrefix(a, "-") {
			return // the program takes them for options
		}
		out, _ := exec.Command(tool, "compare-versions", "--", a, b).Output()
		want, ok := map[string]int{"<": -1, "==": 0, ">": 1}[strings.Fields(strings.TrimPrefix(string(out), a+" ") + " none")[0]]
		if got := Compare(a, b); !ok || got != want {
			t.Errorf("%q and %q: %d, but systemd-analyze says %q", a, b, got, out)
		}
	}
	for _, c := range comparisons {
		a, _, b := cut(c)
		check(a, b)
	}
	for i, a := range ascending {
		for _, b := range ascending[:i] {
			check(a, b)
		}
	}
}

// FuzzCompare: the order is one in which a version equals itself, two versions swapped give the opposite, and what is equal is so for a third.
func FuzzCompare(f *testing.F) {
	for _, c := range comparisons {
		a, _, b := cut(c)
		f.Add(a, b, "1.0.0")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if Compare(a, a) != 0 || Compare(a, b) != -Compare(b, a) {
			t.Fatalf("%q and %q: %d and %d", a, b, Compare(a, b), Compare(b, a))
		}
		if Compare(a, b) == 0 && Compare(a, c) != Compare(b, c) {
			t.Fatalf("%q equals %q, but not for %q", a, b, c)
		}
	})
}
