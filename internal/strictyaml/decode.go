package strictyaml

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/goccy/go-yaml/ast"
)

// place is where a value stands: its path, and what its field's tag allows.
type place struct {
	path          string
	takesNumber   bool
	positionKnown bool
}

type decoder struct {
	positions Positions
	problems  []Problem
}

func (d *decoder) problem(n ast.Node, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{Position: position(n), Path: path, Message: fmt.Sprintf(format, args...)})
}

// value decodes n into v.
func (d *decoder) value(n ast.Node, v reflect.Value, at place) {
	if !at.positionKnown {
		d.positions[at.path] = position(n)
	}
	if n.Type() == ast.NullType {
		d.problem(n, at.path, "has no value: remove it, or write %s", emptyOf(v.Type()))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		at.positionKnown = true
		d.value(n, v.Elem(), at)
	case reflect.Struct:
		d.structure(n, v, at)
	case reflect.Map:
		d.mapping(n, v, at)
	case reflect.Slice:
		d.list(n, v, at)
	case reflect.String:
		d.str(n, v, at)
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.wrongType(n, "true or false", at)
		}
	case reflect.Int, reflect.Int64:
		d.integer(n, v, at)
	default:
		panic("strictyaml: no decoder for " + v.Type().String()) // a mistake in the type, found by its first test
	}
}

func (d *decoder) wrongType(n ast.Node, want string, at place) {
	d.problem(n, at.path, "expected %s, found %s", want, kindOf(n))
}

func (d *decoder) list(n ast.Node, v reflect.Value, at place) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrongType(n, "a list", at)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, item := range seq.Values {
		d.value(item, v.Index(i), place{path: Index(at.path, i)})
	}
}

func (d *decoder) str(n ast.Node, v reflect.Value, at place) {
	switch x := n.(type) {
	case *ast.StringNode:
		v.SetString(x.Value)
	case *ast.LiteralNode:
		v.SetString(x.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		if !at.takesNumber {
			d.problem(n, at.path, "expected a string, found a number: write it in quotes")
			return
		}
		v.SetString(n.GetToken().Value)
	case *ast.BoolNode:
		d.problem(n, at.path, "expected a string, found true or false: write it in quotes")
	default:
		d.wrongType(n, "a string", at)
	}
}

var decimal = pattern.New(`^-?(0|[1-9][0-9]*)$`)

func (d *decoder) integer(n ast.Node, v reflect.Value, at place) {
	if _, ok := n.(*ast.IntegerNode); !ok {
		d.wrongType(n, "a whole number", at)
		return
	}
	text := n.GetToken().Value
	if !decimal().MatchString(text) {
		d.problem(n, at.path, "write the number in decimal digits, without leading zeros")
		return
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v.Kind() == reflect.Int && (i > math.MaxInt32 || i < math.MinInt32) {
		d.problem(n, at.path, "the number is too large")
		return
	}
	v.SetInt(i)
}

// emptyOf is how an empty value of type t is written.
func emptyOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return emptyOf(t.Elem())
	case reflect.Struct, reflect.Map:
		return "{}"
	case reflect.Slice:
		return "[]"
	case reflect.String:
		return `""`
	}
	return "one"
}

// kindOf names what a node is, for people.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "fields"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.StringNode, *ast.LiteralNode:
		return "a string"
	case *ast.NullNode:
		return "nothing"
	}
	return strings.ToLower(n.Type().String())
}

// position of the first character that belongs to n.
func position(n ast.Node) Position {
	switch x := n.(type) {
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return position(x.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(x.Key)
	}
	p := n.GetToken().Position
	return Position{Line: p.Line, Column: p.Column}
}
