package strictyaml

import (
	"bytes"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// Limits on what the parser (goccy/go-yaml 1.19.2) is given. Measured on 2 cores without them: 50 000 empty lines in a block scalar
// take 5 s to tokenise, 50 000 keys in one mapping over 10 s to parse, a MiB of "[" does not end. With them the slowest input found takes 0.4 s.
const (
	maxLines  = 10_000 // a CA bundle of a whole system has about 3 500
	maxTokens = 50_000
	// maxIndicators bounds the tokens before they are made, at 270 bytes of memory each: without it a MiB of "a," took 265 MiB.
	maxIndicators = 2 * maxTokens
	// maxFlowDepth bounds [ and {, maxColumn the depth of blocks: both bound the parser's recursion.
	maxFlowDepth = 32
	maxColumn    = 200
)

// checkBytes holds the limits that concern bytes: UTF-8 text, without control characters, of at most maxLines lines and maxIndicators
// indicators.
func checkBytes(data []byte) *Problem {
	indicators := 0
	for i, line := range bytes.Split(data, []byte("\n")) {
		if i >= maxLines {
			return problemAt(i+1, 1, "the document has more than %d lines", maxLines)
		}
		if !utf8.Valid(line) {
			return problemAt(i+1, 1, "is not UTF-8 text")
		}
		for column, b := range line {
			if b < 0x20 && b != '\t' || b == 0x7f {
				return problemAt(i+1, column+1, "is not text: it holds the byte 0x%02x", b)
			}
			if !indicator(line, column) {
				continue
			}
			if indicators++; indicators > maxIndicators {
				return problemAt(i+1, column+1, "the document has more than %d parts", maxTokens)
			}
		}
	}
	return nil
}

// indicator tells whether the byte may begin a token (YAML 1.2.2 section 5.3): brackets, commas and quotes anywhere, the others only
// beside white space. Text inside strings is counted too, which is why maxIndicators is generous.
func indicator(line []byte, i int) bool {
	switch line[i] {
	case ',', '[', ']', '{', '}', '"', '\'':
		return true
	case ':', '-', '?':
		return i+1 == len(line) || bytes.IndexByte([]byte(" \t,[]{}"), line[i+1]) >= 0
	case '!', '&', '*', '#':
		return i == 0 || line[i-1] == ' ' || line[i-1] == '\t'
	}
	return false
}

// checkTokens holds the limits that need the lexer, before the parser recurses.
func checkTokens(tokens token.Tokens) *Problem {
	if len(tokens) > maxTokens {
		p := tokens[maxTokens].Position
		return problemAt(p.Line, p.Column, "the document has more than %d parts", maxTokens)
	}
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.AnchorType, token.AliasType:
			return problemAt(t.Position.Line, t.Position.Column, "anchors and aliases are not supported: write the value out")
		case token.MergeKeyType:
			return problemAt(t.Position.Line, t.Position.Column, "merge keys are not supported: write the fields out")
		case token.TagType:
			return problemAt(t.Position.Line, t.Position.Column, "tags are not supported: write the value in quotes if it is a string")
		case token.DirectiveType:
			return problemAt(t.Position.Line, t.Position.Column, "directives are not supported: remove the line")
		}
		if depth > maxFlowDepth || structural(t) && depth == 0 && t.Position.Column > maxColumn {
			return problemAt(t.Position.Line, t.Position.Column, "the document is nested too deeply")
		}
	}
	return nil
}

// structural tokens open a level of block nesting, each at least one column further right than the level around it.
func structural(t *token.Token) bool {
	return t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType || t.Type == token.MappingValueType
}
