package selector

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/pattern"
)

// Forms of keys and values (Kubernetes, "Labels and Selectors", syntax and character set).
var (
	namePattern   = pattern.New(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	prefixPattern = pattern.New(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

const maxPrefixBytes = 253

// CheckKey says what is wrong with a label's key: a name of up to 63 characters, perhaps behind a DNS name and a slash.
func CheckKey(key string) error {
	prefix, name, found := strings.Cut(key, "/")
	if !found {
		name = key
	} else if len(prefix) > maxPrefixBytes || !prefixPattern().MatchString(prefix) {
		return fmt.Errorf("label key %q: %q is no DNS name", key, prefix)
	}
	if !namePattern().MatchString(name) {
		return fmt.Errorf("label key %q: %q is not 1 to 63 letters, digits, '-', '_' and '.', a letter or digit at both ends", key, name)
	}
	return nil
}

// CheckValue says what is wrong with a label's value: up to 63 characters as in a key's name, or nothing.
func CheckValue(value string) error {
	if value != "" && !namePattern().MatchString(value) {
		return fmt.Errorf("label value %q is not up to 63 letters, digits, '-', '_' and '.', a letter or digit at both ends", value)
	}
	return nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

func (p *parser) take(token string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.text) && !strings.ContainsRune(" \t,=!()", rune(p.text[p.at])) {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *parser) fail(want string) error {
	found := "the end"
	if p.at < len(p.text) {
		found = fmt.Sprintf("%q", p.text[p.at:])
	}
	return fmt.Errorf("at byte %d: expected %s, found %s", p.at+1, want, found)
}

func (p *parser) requirement() (requirement, error) {
	negated := p.take("!")
	r := requirement{key: p.word()}
	if r.key == "" {
		return r, p.fail("a label's key")
	}
	if err := CheckKey(r.key); err != nil {
		return r, err
	}
	if negated {
		r.op = absent
		return r, nil
	}
	switch {
	case p.take("!="):
		return p.equality(r, notIn)
	case p.take("=="), p.take("="):
		return p.equality(r, in)
	}
	before := p.at
	switch op := operator(p.word()); op {
	case in, notIn:
		r.op = op
		return p.set(r)
	case "":
		r.op = exists
		return r, nil
	}
	p.at = before
	p.space()
	return r, p.fail("=, !=, in, notin, a comma or the end")
}

func (p *parser) equality(r requirement, op operator) (requirement, error) {
	r.op, r.values = op, []string{p.word()}
	return r, CheckValue(r.values[0])
}

func (p *parser) set(r requirement) (requirement, error) {
	if !p.take("(") {
		return r, p.fail("a list in parentheses")
	}
	for {
		value := p.word()
		if err := CheckValue(value); err != nil {
			return r, err
		}
		r.values = append(r.values, value)
		if p.take(")") {
			return r, nil
		}
		if !p.take(",") {
			return r, p.fail("a comma or a closing parenthesis")
		}
	}
}
