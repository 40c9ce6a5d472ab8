package kconfig

import (
	"fmt"
	"strings"
)

// Lost is a wanted option that has another value in the final .config.
type Lost struct {
	Option
	// Got is the value in the final .config; "n" also when the kernel does not know the option.
	Got string
	// Unknown tells that the kernel's Kconfig files define no such option. Whoever has them sets it; Check does not.
	Unknown bool
}

// LostError lists every option that did not survive.
type LostError struct{ Lost []Lost }

func (e *LostError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "cannot keep %d option(s) in the final .config:", len(e.Lost))
	for _, lost := range e.Lost {
		if lost.Unknown {
			fmt.Fprintf(&text, "\n%s:%d: %s: this kernel has no such option", lost.Fragment, lost.Line, lost.Name)
			continue
		}
		fmt.Fprintf(&text, "\n%s:%d: %s=%s became %s", lost.Fragment, lost.Line, lost.Name, lost.Value, lost.Got)
	}
	return text.String()
}

// Hint names the next step.
func (e *LostError) Hint() string {
	for _, lost := range e.Lost {
		if lost.Unknown {
			return "correct the name, or remove the line: options come and go with kernel versions"
		}
	}
	return "the option depends on one that is not set, or the compiler lacks it: " +
		"look it up in the kernel's Kconfig files, then ask for what it depends on or remove it"
}

// Check verifies that every wanted option has its value in the final .config.
func Check(wanted []Option, final Config) error {
	var lost []Lost
	for _, option := range wanted {
		if got := final.Value(option.Name); got != option.Value {
			lost = append(lost, Lost{Option: option, Got: got})
		}
	}
	if len(lost) > 0 {
		return &LostError{Lost: lost}
	}
	return nil
}
