package selector

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	labels := map[string]string{"role": "web", "zone": "a", "example.org/tier": "front", "empty": ""}
	for text, want := range map[string]bool{
		"*": true, "role=web": true, "role==web": true, "role = web , zone=a": true, "role=db": false, "role!=db": true, "role!=web": false, "rack!=1": true,
		"zone in (a, b)": true, "zone in (b)": false, "zone notin (b,c)": true, "rack notin (1)": true, "zone notin (a)": false,
		"role": true, "rack": false, "!rack": true, "!role": false, "example.org/tier=front": true, "empty=": true, "empty in (,x)": true, "role,!rack,zone in (a)": true,
		"in in (in)": false, "role=web,zone=b": false,
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := s.Matches(labels); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestBadSelectors(t *testing.T) {
	for text, want := range map[string]string{
		"": "is empty", "  ": "is empty", "role=": "", "=web": "at byte 1: expected a label's key", "role=web,": "at byte 10: expected a label's key, found the end",
		"role web": `at byte 6: expected =, !=, in, notin, a comma or the end, found "web"`, "zone in a": "a list in parentheses", "zone in (a": "a closing parenthesis",
		"role=web zone=a": "a comma or the end", "-role=web": `"-role" is not 1 to 63`, "UP/role": "is no DNS name", "role=a:b": `label value "a:b"`, "!": "a label's key",
		"role=" + strings.Repeat("a", 64): "label value", "**": "is not 1 to 63", "(": "a label's key",
	} {
		_, err := Parse(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"role=web,zone in (a,b),!rack", "a notin (,)", "x.y/z!=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.String())
		if err != nil {
			t.Fatalf("%q is read, and what it prints is not: %v", text, err)
		}
		labels := map[string]string{"role": "web", "zone": "a"}
		if s.Matches(labels) != again.Matches(labels) {
			t.Fatalf("%q matches otherwise when it is read again", text)
		}
	})
}
