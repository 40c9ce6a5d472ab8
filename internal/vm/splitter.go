package vm

import (
	"strings"
	"unicode/utf8"
)

// maxLineBytes bounds one console line; a longer one is split.
const maxLineBytes = 8 << 10

// splitter cuts a serial console's bytes into lines of plain text. Escape sequences (ECMA-48: CSI, OSC and two-byte ones) are taken out; one that
// moves the cursor to another place ends the line, because firmware menus draw that way instead of writing newlines. The zero value is ready.
type splitter struct {
	line  []byte
	state splitState
}

type splitState byte

const (
	plain    splitState = iota
	escaped             // after ESC
	control             // in a CSI sequence: ESC [ ... final byte 0x40 to 0x7e
	command             // in an OSC string: ESC ] ... BEL or ST
	stringST            // after ESC inside an OSC string
)

// feed takes the next bytes and calls emit for each line they complete.
func (s *splitter) feed(p []byte, emit func(string)) {
	for _, b := range p {
		switch s.state {
		case plain:
			s.plain(b, emit)
		case escaped:
			s.state = map[byte]splitState{'[': control, ']': command}[b]
		case control:
			if b >= 0x40 && b <= 0x7e {
				s.state = plain
				if b == 'H' || b == 'f' || b == 'J' {
					s.flush(emit)
				}
			}
		case command:
			if b == 0x07 {
				s.state = plain
			} else if b == 0x1b {
				s.state = stringST
			}
		case stringST:
			s.state = plain
		}
	}
}

func (s *splitter) plain(b byte, emit func(string)) {
	switch {
	case b == 0x1b:
		s.state = escaped
	case b == '\n':
		s.emit(emit)
	case b == '\t' || (b >= 0x20 && b != 0x7f):
		s.line = append(s.line, b)
		if len(s.line) >= maxLineBytes {
			s.emit(emit)
		}
	}
}

// flush ends a line that has not ended by itself, if there is any text on it.
func (s *splitter) flush(emit func(string)) {
	if len(strings.TrimSpace(string(s.line))) > 0 {
		s.emit(emit)
	}
	s.line = s.line[:0]
}

func (s *splitter) emit(emit func(string)) {
	text := string(s.line)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	s.line = s.line[:0]
	emit(strings.TrimRight(text, " \t"))
}
