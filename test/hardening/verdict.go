package hardening

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

// Verdict is the text of kernel-configs/ARCH.verdict: what the tool said, and about which .config. It is checked in, so that a change of
// kernel-configs shows without the tool.
func Verdict(version string, config []byte, checks []Check) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# kernel-hardening-checker %s on a .config with SHA-256 %x\n", version, sha256.Sum256(config))
	for _, kind := range Kinds {
		fmt.Fprintf(&b, "\n# %s: %s\n", kind, Scores(checks)[kind])
		for _, c := range checks {
			if c.Kind == kind {
				fmt.Fprintf(&b, "%s wants %s: %s\n", c.Name, c.Desired, c.Result)
			}
		}
	}
	return b.Bytes()
}

// DecodeVerdict reads a verdict back: its first line without "# ", and the checks.
func DecodeVerdict(text []byte) (about string, checks []Check, err error) {
	kind := ""
	for number, line := range strings.Split(string(text), "\n") {
		heading, isHeading := strings.CutPrefix(line, "# ")
		switch {
		case number == 0 && isHeading:
			about = heading
		case isHeading:
			kind, _, _ = strings.Cut(heading, ":")
		case line != "":
			name, rest, _ := strings.Cut(line, " wants ")
			desired, result, found := strings.Cut(rest, ": ")
			if !found {
				return "", nil, fmt.Errorf("cannot read verdict: line %d is %q", number+1, line)
			}
			checks = append(checks, Check{Name: name, Kind: kind, Desired: desired, Result: result})
		}
	}
	return about, checks, nil
}
