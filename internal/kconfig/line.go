package kconfig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// SyntaxError is one line that cannot be read.
type SyntaxError struct {
	File  string
	Line  int
	Cause error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Cause) }
func (e *SyntaxError) Unwrap() error { return e.Cause }

const prefix = "CONFIG_"

func splitLines(text []byte) []string {
	text = bytes.TrimSuffix(text, []byte("\n"))
	if len(text) == 0 {
		return nil
	}
	return strings.Split(string(text), "\n")
}

// isNotSet recognises "# CONFIG_NAME is not set", the form in which .config says n.
func isNotSet(line string) bool {
	return strings.HasPrefix(line, "# "+prefix) && strings.HasSuffix(line, " is not set")
}

// cutName splits "CONFIG_NAME=rest".
func cutName(line string) (name, rest string, err error) {
	name, rest, found := strings.Cut(line, "=")
	if !found || !validName(name) {
		return "", "", fmt.Errorf("expected CONFIG_NAME=value, found %q", line)
	}
	return name, rest, nil
}

func validName(name string) bool {
	symbol, found := strings.CutPrefix(name, prefix)
	if !found || symbol == "" {
		return false
	}
	for _, r := range symbol {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !letter && !(r >= '0' && r <= '9') && r != '_' {
			return false
		}
	}
	return true
}

// cutValue takes one value off the front of text.
func cutValue(text string) (value, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		return cutString(text)
	}
	value, rest = text, ""
	if end := strings.IndexAny(text, " \t#"); end >= 0 {
		value, rest = text[:end], text[end:]
	}
	if value == "y" || value == "n" || value == "m" || isNumber(value) {
		return value, rest, nil
	}
	return "", "", fmt.Errorf("%q is neither y, n, a number, nor a string in double quotes", value)
}

// cutString takes one quoted string off the front of text; a backslash protects the byte behind it.
func cutString(text string) (value, rest string, err error) {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[:i+1], text[i+1:], nil
		}
	}
	return "", "", errors.New("string without its closing quote")
}

func isNumber(s string) bool {
	digits, allowed := strings.TrimPrefix(s, "-"), "0123456789"
	if hex, found := strings.CutPrefix(s, "0x"); found {
		digits, allowed = hex, "0123456789abcdefABCDEF"
	}
	return digits != "" && strings.Trim(digits, allowed) == ""
}
