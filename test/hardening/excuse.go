package hardening

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Excuse is a row of the tables below "## What the yardstick refuses" in kernel-configs/README.md: what the tool refuses and is kept.
type Excuse struct {
	Name, Kind string
	// Architectures that it is refused on.
	Architectures []string
	// Reason is what a host of containers needs it for; Limit is what keeps the risk small.
	Reason, Limit string
}

const excusesHeading = "## What the yardstick refuses"

var (
	// kindHeadings are the headings above the tables.
	kindHeadings = map[string]string{"### Options": Kconfig, "### Command line": CommandLine, "### Parameters": Sysctl}
	quoted       = regexp.MustCompile("`([^`]+)`")
)

// Excuses reads the tables. A row may name several options; "both" stands for both architectures.
func Excuses(readme string) ([]Excuse, error) {
	_, section, found := strings.Cut(readme, excusesHeading+"\n")
	if !found {
		return nil, fmt.Errorf("cannot find %q", excusesHeading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var excuses []Excuse
	kind := ""
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "### ") {
			kind = kindHeadings[line]
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 4 || kind == "" {
			return nil, fmt.Errorf("cannot read row %q: it has %d cells below %q", line, len(cells), kind)
		}
		architectures := strings.Split(strings.TrimSpace(cells[1]), ", ")
		if architectures[0] == "both" {
			architectures = []string{"x86_64", "arm64"}
		}
		for _, name := range quoted.FindAllStringSubmatch(cells[0], -1) {
			excuses = append(excuses, Excuse{name[1], kind, architectures, strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])})
		}
	}
	return excuses, nil
}

// Compare holds excuses against a verdict: what is refused without an excuse, and what is excused and not refused. A verdict that has nothing of a
// kind says nothing about it: it was not taken from a running machine.
func Compare(excuses []Excuse, architecture string, checks []Check) (problems []string) {
	for _, kind := range Kinds {
		if _, judged := Scores(checks)[kind]; !judged {
			continue
		}
		var excused []string
		for _, e := range excuses {
			if e.Kind == kind && slices.Contains(e.Architectures, architecture) {
				excused = append(excused, e.Name)
			}
		}
		refused := Refused(checks, kind)
		for _, name := range refused {
			if !slices.Contains(excused, name) {
				problems = append(problems, fmt.Sprintf("%s: %s is refused on %s, and kernel-configs/README.md does not say why it stays", kind, name, architecture))
			}
		}
		for _, name := range excused {
			if !slices.Contains(refused, name) {
				problems = append(problems, fmt.Sprintf("%s: kernel-configs/README.md excuses %s, which is not refused on %s", kind, name, architecture))
			}
		}
	}
	return problems
}
