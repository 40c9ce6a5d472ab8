package debian

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxFieldBytes bounds one field of a stanza; the longest real one (the file list of a Release) has about 150 KiB.
const maxFieldBytes = 4 << 20

// Stanza is one paragraph of control fields (Debian Policy 5.1). Names are folded to lower case: they are case-insensitive.
// Continuation lines keep their line breaks, without the leading space.
type Stanza map[string]string

// Get returns the field's value, or "".
func (s Stanza) Get(name string) string { return s[strings.ToLower(name)] }

// ReadStanzas calls each for every paragraph of r, in order, until r ends or each returns an error.
func ReadStanzas(r io.Reader, each func(Stanza) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxFieldBytes)
	p := stanzaParser{current: Stanza{}}
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			if err := p.flush(each); err != nil {
				return err
			}
			continue
		}
		if err := p.line(line); err != nil {
			return fmt.Errorf("cannot read control data at line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cannot read control data: %w", err)
	}
	return p.flush(each)
}

type stanzaParser struct {
	current Stanza
	field   string
	value   strings.Builder
}

func (p *stanzaParser) line(line string) error {
	switch {
	case line[0] == '#':
		return nil
	case line[0] == ' ' || line[0] == '\t':
		if p.field == "" {
			return errors.New("a continuation line follows no field")
		}
		if p.value.Len()+len(line) > maxFieldBytes {
			return fmt.Errorf("field %q has more than %d bytes", p.field, maxFieldBytes)
		}
		p.value.WriteByte('\n')
		p.value.WriteString(strings.TrimSpace(line))
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return fmt.Errorf("%.40q is no field", line)
	}
	p.store()
	p.field = strings.ToLower(name)
	if _, dup := p.current[p.field]; dup {
		return fmt.Errorf("field %q appears twice", name)
	}
	p.value.WriteString(strings.TrimSpace(value))
	return nil
}

func (p *stanzaParser) store() {
	if p.field != "" {
		p.current[p.field] = p.value.String()
	}
	p.field = ""
	p.value.Reset()
}

func (p *stanzaParser) flush(each func(Stanza) error) error {
	p.store()
	if len(p.current) == 0 {
		return nil
	}
	done := p.current
	p.current = Stanza{}
	return each(done)
}
