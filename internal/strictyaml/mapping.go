package strictyaml

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// entries returns the members of a mapping whose keys are strings and stand there once; it reports the others.
func (d *decoder) entries(n ast.Node, at place) []*ast.MappingValueNode {
	var all []*ast.MappingValueNode
	switch x := n.(type) {
	case *ast.MappingNode:
		all = x.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{x}
	default:
		d.wrongType(n, "fields", at)
		return nil
	}
	seen := map[string]Position{}
	return slices.DeleteFunc(slices.Clone(all), func(e *ast.MappingValueNode) bool {
		key, ok := e.Key.(*ast.StringNode)
		if !ok {
			d.problem(e.Key, at.path, "expected a plain string as key")
			return true
		}
		if first, dup := seen[key.Value]; dup {
			d.problem(key, at.path, "the key %q stands here twice, first in line %d", key.Value, first.Line)
			return true
		}
		seen[key.Value] = position(key)
		return false
	})
}

func (d *decoder) structure(n ast.Node, v reflect.Value, at place) {
	fields := fieldsOf(v.Type())
	for _, e := range d.entries(n, at) {
		key := e.Key.(*ast.StringNode)
		path := Field(at.path, key.Value)
		f, ok := fields[key.Value]
		if !ok {
			d.problem(key, path, "unknown field%s", suggestion(key.Value, fields))
			continue
		}
		d.positions[path] = position(key)
		d.value(e.Value, v.Field(f.index), place{path: path, takesNumber: f.takesNumber, positionKnown: true})
	}
}

func (d *decoder) mapping(n ast.Node, v reflect.Value, at place) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(n, at) {
		key := e.Key.(*ast.StringNode)
		path := Key(at.path, key.Value)
		d.positions[path] = position(key)
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(e.Value, item, place{path: path, takesNumber: at.takesNumber, positionKnown: true})
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	}
}

// Field is the path of a struct's field.
func Field(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Key is the path of a map's entry.
func Key(path, key string) string { return fmt.Sprintf("%s[%q]", path, key) }

// Index is the path of a list's item.
func Index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

type field struct {
	index       int
	takesNumber bool
}

func fieldsOf(t reflect.Type) map[string]field {
	fields := map[string]field{}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := Name(f); name != "" {
			fields[name] = field{index: i, takesNumber: strings.Contains(f.Tag.Get("jsonschema"), "oneof_type=string;number")}
		}
	}
	return fields
}

// Name is how a struct's field is called in documents; empty for a field that is not in them.
func Name(f reflect.StructField) string {
	tag, ok := f.Tag.Lookup("yaml")
	if !ok {
		tag = f.Tag.Get("json")
	}
	name, _, _ := strings.Cut(tag, ",")
	if name == "-" || !f.IsExported() {
		return ""
	}
	return name
}

// suggestion names the field that was probably meant: one that differs in case only, or by at most two edits.
func suggestion(name string, fields map[string]field) string {
	best := ""
	distance := func(candidate string) int {
		if strings.EqualFold(candidate, name) {
			return 0
		}
		return 8*edits(name, candidate) + max(len(candidate)-len(name), len(name)-len(candidate)) // equal edits: the closer length
	}
	for _, candidate := range slices.Sorted(maps.Keys(fields)) {
		if edits := distance(candidate); edits < 3*8 && len(name) > 2 && (best == "" || edits < distance(best)) {
			best = candidate
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// edits is the Levenshtein distance of two short names; long ones are simply far apart.
func edits(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
