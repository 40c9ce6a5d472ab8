// Package strictyaml decodes one YAML (or JSON) document into a Go value and says everything that is wrong with it.
//
// It is for documents that people write and machines obey: a misspelt field must never be ignored. Unknown fields, duplicate keys,
// keys without a value and values of the wrong type are problems with line, column and path, and all of them are reported, not only the first.
// The subset of YAML 1.2 taken is what configuration needs: no anchors, aliases, merge keys, tags or second document
// (an alias bomb is refused before it is expanded). Numbers are decimal. The bytes may come from anyone: limits.go bounds
// what the parser is given, because its time is quadratic, and its stack unbounded, in some inputs (measured; see there).
//
// Invariants: never panics (FuzzDecode); a problem never quotes a value, only field names and kinds, so that secrets stay out of logs
// (TestProblemsQuoteNoValue); what decodes, encodes to JSON that decodes to the same value (config.FuzzDecode).
//
// Fields are matched by their yaml tag, else their json tag. A string field tagged `jsonschema:"oneof_type=string;number"` takes a plain number too,
// literally as it is written. Rejected: the parser's own decoder, which stops at the first error and takes anchors.
package strictyaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Position in the source, counted from 1. The zero Position is unknown.
type Position struct {
	Line   int
	Column int
}

// Positions tell where each path of a document stands. A path in it is one that the document sets.
type Positions map[string]Position

// Problem is one thing that is wrong with a document.
type Problem struct {
	Position
	// Path of the value, such as "spec.containers[0].image"; empty for the whole document.
	Path    string
	Message string
}

// Error makes a Problem an error.
func (p Problem) Error() string {
	s := fmt.Sprintf("%d:%d: ", p.Line, p.Column)
	if p.Path != "" {
		s += p.Path + ": "
	}
	return s + p.Message
}

// Decode decodes data into the struct that into points to. An empty document leaves it unchanged. When there are problems, what was
// decoded is incomplete and not to be used.
func Decode(data []byte, into any) (Positions, []Problem) {
	d := &decoder{positions: Positions{}}
	root, problem := parse(data)
	switch {
	case problem != nil:
		d.problems = append(d.problems, *problem)
	case root != nil:
		d.value(root, reflect.ValueOf(into).Elem(), place{})
	}
	return d.positions, d.problems
}

// parse returns the one document's root node, or nil where there is nothing but comments.
func parse(data []byte) (root ast.Node, problem *Problem) {
	defer func() { // the parser has panicked on odd input in the past, and the agent is PID 1
		if r := recover(); r != nil {
			root, problem = nil, problemAt(1, 1, "cannot parse the document: the parser gave up (%T)", r)
		}
	}()
	text, problem := normalise(data)
	if problem != nil {
		return nil, problem
	}
	tokens := lexer.Tokenize(text)
	if problem := checkTokens(tokens); problem != nil {
		return nil, problem
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(err)
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case root != nil:
			p := doc.Body.GetToken().Position
			return nil, problemAt(p.Line, 1, "a second document begins here: write one document, without a further \"---\"")
		default:
			root = doc.Body
		}
	}
	return root, nil
}

// normalise strips a byte order mark, makes line ends \n, and turns the tabs of JSON, which this YAML parser refuses, into spaces.
func normalise(data []byte) (string, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if problem := checkBytes(data); problem != nil {
		return "", problem
	}
	if bytes.IndexByte(data, '\t') >= 0 && json.Valid(data) { // RFC 8259: a tab is never part of a JSON string
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	return string(data), nil
}

func syntaxProblem(err error) *Problem {
	located, ok := err.(interface {
		GetMessage() string
		GetToken() *token.Token
	})
	if !ok || located.GetToken() == nil {
		return problemAt(1, 1, "cannot parse the document")
	}
	p := located.GetToken().Position
	return problemAt(p.Line, p.Column, "is not valid YAML: %s", located.GetMessage())
}

func problemAt(line, column int, format string, args ...any) *Problem {
	return &Problem{Position: Position{line, column}, Message: fmt.Sprintf(format, args...)}
}
