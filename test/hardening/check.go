package hardening

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Kinds of checks, as the tool names them.
const (
	Kconfig     = "kconfig"
	CommandLine = "cmdline"
	Sysctl      = "sysctl"
)

// Kinds in the order of reports.
var Kinds = []string{Kconfig, CommandLine, Sysctl}

// Check is one judgement of the tool (kernel-hardening-checker's json_dump, engine.py).
type Check struct {
	// Name is "CONFIG_BUG", a word of the command line, or a kernel parameter.
	Name string `json:"option_name"`
	Kind string `json:"type"`
	// Desired value in the tool's words, such as "y", "is not set" or "*selinux*".
	Desired string `json:"desired_val"`
	// Result begins with "OK" or "FAIL".
	Result string `json:"check_result"`
}

// OK tells whether the tool is content.
func (c Check) OK() bool { return c.Result == "OK" || strings.HasPrefix(c.Result, "OK:") }

// Decode reads what the tool prints with "-m json".
func Decode(text []byte) ([]Check, error) {
	var checks []Check
	if err := json.Unmarshal(text, &checks); err != nil {
		return nil, fmt.Errorf("cannot read verdict of kernel-hardening-checker: %w", err)
	}
	for i, c := range checks {
		if c.Name == "" || !slices.Contains(Kinds, c.Kind) || !c.OK() && c.Result != "FAIL" && !strings.HasPrefix(c.Result, "FAIL:") {
			return nil, fmt.Errorf("cannot read verdict of kernel-hardening-checker: check %d is %+v", i, c)
		}
	}
	return checks, nil
}

// Score counts checks.
type Score struct {
	OK   int `json:"ok"`
	Fail int `json:"fail"`
}

func (s Score) String() string { return fmt.Sprintf("%d OK, %d FAIL of %d", s.OK, s.Fail, s.OK+s.Fail) }

// Scores by kind.
func Scores(checks []Check) map[string]Score {
	scores := map[string]Score{}
	for _, c := range checks {
		s := scores[c.Kind]
		if c.OK() {
			s.OK++
		} else {
			s.Fail++
		}
		scores[c.Kind] = s
	}
	return scores
}

// Refused are the names of what the tool refuses of one kind, sorted, each once.
func Refused(checks []Check, kind string) []string {
	var names []string
	for _, c := range checks {
		if c.Kind == kind && !c.OK() {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
