package story

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/stele-os/stele/agent/state"
)

// The bounds of one record.
const (
	maxRecordBytes = 64 << 10
	maxPanicBytes  = 8 << 10
	maxTextBytes   = 512 // each other text
	// Of gates: those of 64 containers, checks and the machine.
	maxGates            = 64
	maxGateNameBytes    = 64
	maxGateStateBytes   = 16
	maxGateReasonsBytes = 160
)

// A record is lines of
//
//	<64 hex digits: SHA-256 of what follows the blank> <state.BootStory as JSON>\n
//
// and the last whole one counts.
func encodeLine(s state.BootStory) []byte {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)   // six bytes for one would break the bound
	_ = encoder.Encode(bounded(s)) // strings, numbers and bounded times: cannot fail
	content := bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))
	sum := sha256.Sum256(content)
	line := append([]byte(hex.EncodeToString(sum[:])+" "), content...)
	return append(line, '\n')
}

// decodeRecord returns the last whole line's story, and whether there is any.
func decodeRecord(data []byte) (state.BootStory, bool) {
	for len(data) > 0 {
		data = bytes.TrimSuffix(data, []byte("\n"))
		start := bytes.LastIndexByte(data, '\n') + 1
		if s, ok := decodeLine(data[start:]); ok {
			return s, true
		}
		data = data[:start]
	}
	return state.BootStory{}, false
}

func decodeLine(line []byte) (state.BootStory, bool) {
	sum, content, _ := bytes.Cut(line, []byte(" "))
	want := sha256.Sum256(content)
	if string(sum) != hex.EncodeToString(want[:]) {
		return state.BootStory{}, false
	}
	var s state.BootStory
	if json.Unmarshal(content, &s) != nil {
		return state.BootStory{}, false
	}
	return bounded(s), true
}

// bounded cuts every text, so that the encoded story fits into a record even where every byte needs an escape.
func bounded(s state.BootStory) state.BootStory {
	for _, text := range []*string{&s.ID, &s.Image, &s.Version, &s.Slot, &s.AskedBy, &s.Why, (*string)(&s.Outcome), &s.Reason} {
		*text = head(*text, maxTextBytes)
	}
	s.Panic = tail(s.Panic, maxPanicBytes)
	if len(s.Gates) > maxGates {
		s.Gates = s.Gates[:maxGates]
	}
	var gates []state.Gate
	for _, g := range s.Gates {
		g.Name, g.State, g.Reason = head(g.Name, maxGateNameBytes), head(g.State, maxGateStateBytes), head(g.Reason, maxGateReasonsBytes)
		gates = append(gates, g)
	}
	s.Gates = gates
	return s
}

// head is the beginning of text, in whole runes.
func head(text string, limit int) string {
	if len(text) > limit {
		for limit > 0 && !utf8.RuneStart(text[limit]) {
			limit--
		}
		text = text[:limit]
	}
	return plain(text)
}

// tail is the end of text, from the beginning of a line where there is one.
func tail(text string, limit int) string {
	if len(text) <= limit {
		return plain(text)
	}
	text = text[len(text)-limit:]
	if _, rest, ok := strings.Cut(text, "\n"); ok && rest != "" {
		return plain(rest)
	}
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	return plain(text)
}

// plain replaces what is no text: control characters but line ends and tabs, and broken UTF-8.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
}
