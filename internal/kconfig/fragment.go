package kconfig

import (
	"errors"
	"fmt"
	"strings"
)

// Option is one wanted option, with the place and the reason of the wish.
type Option struct {
	// Name with its prefix, such as "CONFIG_SMP".
	Name string
	// Value as in .config: y, n, a number, or a string with its quotes.
	Value string
	// Reason is the text behind the value, without "override:".
	Reason string
	// Override allows this option to contradict an earlier fragment.
	Override bool
	// Fragment and Line say where it stands.
	Fragment string
	Line     int
}

// Fragment is one parsed fragment.
type Fragment struct {
	Name    string
	Options []Option
}

const overrideMark = "override:"

// ParseFragment decodes a fragment; name is used in errors. All errors are reported at once.
func ParseFragment(name string, text []byte) (Fragment, error) {
	fragment := Fragment{Name: name}
	seen := map[string]int{}
	var errs []error
	for i, line := range splitLines(text) {
		option, ok, err := parseFragmentLine(line)
		if err == nil && ok {
			if first, twice := seen[option.Name]; twice {
				err = fmt.Errorf("%s stands in line %d already", option.Name, first)
			}
		}
		if err != nil {
			errs = append(errs, &SyntaxError{File: name, Line: i + 1, Cause: err})
			continue
		}
		if ok {
			option.Fragment, option.Line = name, i+1
			seen[option.Name] = i + 1
			fragment.Options = append(fragment.Options, option)
		}
	}
	if len(errs) > 0 {
		return Fragment{}, errors.Join(errs...)
	}
	return fragment, nil
}

func parseFragmentLine(line string) (Option, bool, error) {
	switch {
	case strings.TrimSpace(line) == "":
		return Option{}, false, nil
	case isNotSet(line):
		return Option{}, false, fmt.Errorf("%q looks like a comment; write CONFIG_NAME=n  # reason", line)
	case strings.HasPrefix(line, "#"):
		return Option{}, false, nil
	}
	name, rest, err := cutName(line)
	if err != nil {
		return Option{}, false, err
	}
	value, rest, err := cutValue(rest)
	if err != nil {
		return Option{}, false, fmt.Errorf("%s: %w", name, err)
	}
	if value == "m" {
		return Option{}, false, fmt.Errorf("%s=m: this kernel has no modules; write y or n", name)
	}
	reason, override, err := parseReason(rest)
	if err != nil {
		return Option{}, false, fmt.Errorf("%s: %w", name, err)
	}
	return Option{Name: name, Value: value, Reason: reason, Override: override}, true, nil
}

// parseReason decodes what follows the value: white space, '#', reason.
func parseReason(rest string) (reason string, override bool, err error) {
	comment, found := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "#")
	if !found {
		if strings.TrimSpace(rest) != "" {
			return "", false, fmt.Errorf("unexpected %q behind the value", strings.TrimSpace(rest))
		}
		return "", false, errNoReason
	}
	reason = strings.TrimSpace(comment)
	if after, marked := strings.CutPrefix(reason, overrideMark); marked {
		reason, override = strings.TrimSpace(after), true
	}
	if reason == "" {
		return "", false, errNoReason
	}
	return reason, override, nil
}

var errNoReason = errors.New("no reason given; write it behind the value: CONFIG_NAME=value  # reason")
