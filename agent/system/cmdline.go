package system

import "strings"

// CommandLine is the kernel's command line, split as the kernel splits it: at blanks outside of double quotes
// (lib/cmdline.c, next_arg; there is no other escape).
type CommandLine []string

// DecodeCommandLine splits the content of /proc/cmdline.
func DecodeCommandLine(content string) CommandLine {
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range content {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case !quoted && (r == ' ' || r == '\t' || r == '\n'):
			if begun {
				words = append(words, word.String())
				word.Reset()
			}
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// Value returns what follows "key=" in its last occurrence; the kernel, too, lets the last one win.
func (c CommandLine) Value(key string) (string, bool) {
	for i := len(c) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(c[i], key+"="); ok {
			return value, true
		}
	}
	return "", false
}
