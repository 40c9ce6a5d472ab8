// Package show prints what machines answered: as a table for people, as JSON or YAML for programs. JSON is protobuf's (proto3 JSON mapping),
// with the names of fields as they stand in api/node/v1/node.proto.
package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Formats of output.
var Formats = []string{"table", "json", "yaml"}

// CheckFormat refuses unknown formats.
func CheckFormat(format string) error {
	for _, known := range Formats {
		if format == known {
			return nil
		}
	}
	return fmt.Errorf("there is no output format %q: use one of %s", format, strings.Join(Formats, ", "))
}

// Answer is what one machine said.
type Answer struct {
	Node    string
	Message proto.Message
}

// Data prints answers as JSON or YAML: a list of {node, ...message}, or the message alone where only one machine was asked.
func Data(w io.Writer, format string, answers []Answer) error {
	var all []json.RawMessage
	for _, a := range answers {
		encoded, err := encode(a, len(answers) > 1)
		if err != nil {
			return err
		}
		all = append(all, encoded)
	}
	var document any = all
	if len(all) == 1 {
		document = all[0]
	}
	data, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode answer: %w", err)
	}
	if format == "yaml" {
		if data, err = yaml.JSONToYAML(data); err != nil {
			return fmt.Errorf("cannot encode answer: %w", err)
		}
		_, err = w.Write(data)
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}

var protoJSON = protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}

func encode(a Answer, named bool) (json.RawMessage, error) {
	data, err := protoJSON.Marshal(a.Message)
	if err != nil {
		return nil, fmt.Errorf("cannot encode answer of node %q: %w", a.Node, err)
	}
	var compact bytes.Buffer // protojson varies its white space on purpose
	if err := json.Compact(&compact, data); err != nil || !named {
		return compact.Bytes(), err
	}
	name, err := json.Marshal(a.Node)
	if err != nil {
		return nil, err
	}
	head := append(append([]byte(`{"node":`), name...), ',')
	return append(head, compact.Bytes()[1:]...), nil
}

// Line prints one message as one line of JSON, for streams.
func Line(w io.Writer, m proto.Message) error {
	encoded, err := encode(Answer{Message: m}, false)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", encoded)
	return err
}

// Table prints rows below a header, columns aligned; an empty cell becomes "-".
func Table(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = Clean(cell); cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// Clean makes a machine's words safe for a terminal: control characters, which could move the cursor or hide text, become '?'.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// CleanLines is Clean for a text of several lines.
func CleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Clean(line)
	}
	return strings.Join(lines, "\n")
}
