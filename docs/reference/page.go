package reference

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
)

// heads are what a person has written: how documents of a kind are read and merged.
//
//go:embed *.head.md
var heads embed.FS

// writePage makes a reference page: its head, then one table for each object.
func writePage(head []byte, types []structType) []byte {
	var out bytes.Buffer
	out.Write(head)
	for _, t := range types {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n", t.name, t.doc)
		if len(t.fields) == 0 {
			out.WriteString("\nIt has no fields: write `{}`.\n")
			continue
		}
		out.WriteString("\n| field | type | default | |\n|---|---|---|---|\n")
		for _, f := range t.fields {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", f.name, typeCell(f), cell(fallbackOf(f)), cell(f.doc))
		}
	}
	return out.Bytes()
}

func fallbackOf(f field) string {
	if f.required {
		return "required"
	}
	return f.fallback
}

func typeCell(f field) string {
	name := f.kind.scalar
	switch {
	case f.kind.object != "":
		name = fmt.Sprintf("[%s](#%s)", f.kind.object, strings.ToLower(f.kind.object))
	case f.enum != nil:
		name = "`" + strings.Join(f.enum, "`, `") + "`"
	case f.takesNumber:
		name = "string or number"
	}
	switch {
	case f.kind.list:
		return "list of " + name
	case f.kind.mapping:
		return "map of " + name
	}
	return name
}

// cell escapes what would end a table's cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
