package debian

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Source is one enabled entry for binary packages of the apt configuration (sources.list(5)).
type Source struct {
	URIs, Suites, Components []string
}

// ParseList reads the one-line style ("deb [options] uri suite component…"). Lines it cannot use are passed over, as they
// may belong to other archives.
func ParseList(r io.Reader) ([]Source, error) {
	var sources []Source
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if s, ok := parseListLine(strings.TrimSpace(line)); ok {
			sources = append(sources, s)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cannot read one-line sources: %w", err)
	}
	return sources, nil
}

func parseListLine(line string) (Source, bool) {
	rest, ok := strings.CutPrefix(line, "deb")
	if !ok || rest == "" || (rest[0] != ' ' && rest[0] != '\t') {
		return Source{}, false
	}
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return Source{}, false
		}
		rest = rest[end+1:]
	}
	fields := strings.Fields(rest)
	if len(fields) < 3 {
		return Source{}, false
	}
	return Source{URIs: fields[:1], Suites: fields[1:2], Components: fields[2:]}, true
}

// ParseDeb822 reads the deb822 style (files named *.sources).
func ParseDeb822(r io.Reader) ([]Source, error) {
	var sources []Source
	err := ReadStanzas(r, func(s Stanza) error {
		enabled := strings.ToLower(s.Get("Enabled"))
		if enabled == "no" || enabled == "false" {
			return nil
		}
		for _, kind := range strings.Fields(s.Get("Types")) {
			if kind == "deb" {
				sources = append(sources, Source{
					URIs: strings.Fields(s.Get("URIs")), Suites: strings.Fields(s.Get("Suites")),
					Components: strings.Fields(s.Get("Components")),
				})
			}
		}
		return nil
	})
	return sources, err
}
