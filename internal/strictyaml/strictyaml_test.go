package strictyaml

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

type sample struct {
	Name  string            `json:"name,omitempty" yaml:"name"`
	Size  string            `json:"size,omitempty" jsonschema:"oneof_type=string;number"`
	Count int               `json:"count,omitempty"`
	On    *bool             `json:"on,omitempty"`
	Tags  []string          `json:"tags,omitempty"`
	Map   map[string]string `json:"map,omitempty"`
	Sub   *sample           `json:"sub,omitempty"`
	List  []sample          `json:"list,omitempty"`
	Inner struct {
		Port int `json:"port,omitempty"`
	} `json:"inner,omitzero"`
}

func TestDecode(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		in   string
		want sample
	}{
		"empty":           {"", sample{}},
		"only comments":   {"# nothing\n\n", sample{}},
		"scalars":         {"name: a\ncount: -3\non: true\n", sample{Name: "a", Count: -3, On: &yes}},
		"one document":    {"---\nname: a\n...\n", sample{Name: "a"}},
		"number as text":  {"size: 1.50", sample{Size: "1.50"}},
		"yes is a string": {"name: yes", sample{Name: "yes"}},
		"date is a string": {
			"name: 2020-01-01", sample{Name: "2020-01-01"}},
		"block scalar": {"name: |\n  a\n  b\n", sample{Name: "a\nb\n"}},
		"folded":       {"name: >-\n  a\n  b\n", sample{Name: "a b"}},
		"nested": {"sub:\n  list:\n  - name: x\n  - inner: {port: 80}\n", sample{Sub: &sample{List: []sample{{Name: "x"}, {Inner: struct {
			Port int `json:"port,omitempty"`
		}{80}}}}}},
		"map":           {"map:\n  a.b: c\n", sample{Map: map[string]string{"a.b": "c"}}},
		"empty pointer": {"sub: {}", sample{Sub: &sample{}}},
		"json":          {"{\n\t\"name\": \"x\\/y\\ud83d\\ude00\\u003c\",\n\t\"count\": 2\n}", sample{Name: "x/y😀<", Count: 2}},
		"crlf":          {"name: a\r\ncount: 1\r\n", sample{Name: "a", Count: 1}},
		"bom":           {"\ufeffname: a\n", sample{Name: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got sample
			if _, problems := Decode([]byte(c.in), &got); problems != nil {
				t.Fatalf("problems: %v", problems)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"unknown field":         {"nmae: a", `1:1: nmae: unknown field: did you mean "name"?`},
		"unknown, other case":   {"Name: a", `1:1: Name: unknown field: did you mean "name"?`},
		"unknown, no guess":     {"list:\n- zebra: 1", `2:3: list[0].zebra: unknown field`},
		"duplicate key":         {"name: a\nname: b", `2:1: the key "name" stands here twice, first in line 1`},
		"string for number":     {"count: \"1\"", `1:8: count: expected a whole number, found a string`},
		"fraction for number":   {"count: 1.5", `1:8: count: expected a whole number, found a number`},
		"octal":                 {"count: 010", `1:8: count: write the number in decimal digits, without leading zeros`},
		"hexadecimal":           {"count: 0x10", `1:8: count: write the number in decimal digits, without leading zeros`},
		"too large":             {"count: 99999999999", `1:8: count: the number is too large`},
		"number for string":     {"name: 1", `1:7: name: expected a string, found a number: write it in quotes`},
		"bool for string":       {"name: true", `1:7: name: expected a string, found true or false: write it in quotes`},
		"yes for bool":          {"on: yes", `1:5: on: expected true or false, found a string`},
		"scalar for list":       {"tags: a", `1:7: tags: expected a list, found a string`},
		"list for fields":       {"sub: [a]", `1:6: sub: expected fields, found a list`},
		"scalar document":       {"hello", `1:1: expected fields, found a string`},
		"no value":              {"name:", `1:7: name: has no value: remove it, or write ""`},
		"no value, list":        {"tags: ~", `1:7: tags: has no value: remove it, or write []`},
		"no value, fields":      {"sub: null", `1:6: sub: has no value: remove it, or write {}`},
		"key is a number":       {"map:\n  1: a", `2:3: map: expected a plain string as key`},
		"anchor":                {"name: &a b", `1:7: anchors and aliases are not supported: write the value out`},
		"alias":                 {"name: *a", `1:7: anchors and aliases are not supported: write the value out`},
		"merge key":             {"<<: {name: a}", `1:1: merge keys are not supported: write the fields out`},
		"tag":                   {"name: !!str a", `1:7: tags are not supported: write the value in quotes if it is a string`},
		"directive":             {"%YAML 1.2\n---\nname: a", `1:1: directives are not supported: remove the line`},
		"second document":       {"name: a\n---\nname: b", `3:1: a second document begins here: write one document, without a further "---"`},
		"tab":                   {"sub:\n\tname: a", `2:1: is not valid YAML: found character '	' that cannot start any token`},
		"unclosed list":         {"tags: [a\ncount: 1", `2:1: is not valid YAML: ',' or ']' must be specified`},
		"control character":     {"name: \x1b[2J", `1:7: is not text: it holds the byte 0x1b`},
		"not UTF-8":             {"name: \xff", `1:1: is not UTF-8 text`},
		"nested flow":           {strings.Repeat("[", 1000), `1:33: the document is nested too deeply`},
		"nested blocks":         {strings.Repeat("- ", 1000), `1:201: the document is nested too deeply`},
		"many lines":            {"name: |\n" + strings.Repeat("\n", 1<<19), `10001:1: the document has more than 10000 lines`},
		"many parts":            {"tags: [" + strings.Repeat("a,", 40_000) + "]", `1:50005: the document has more than 50000 parts`},
		"very many parts":       {"tags: [" + strings.Repeat("a,", 1<<18) + "]", `1:200005: the document has more than 50000 parts`},
		"several":               {"a: 1\ncount: x\nlist: [{on: 1}]", "1:1: a: unknown field\n2:8: count: expected a whole number, found a string\n3:13: list[0].on: expected true or false, found a number"},
		"several, after a dup.": {"name: a\nname: b\ncount: x", "2:1: the key \"name\" stands here twice, first in line 1\n3:8: count: expected a whole number, found a string"},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			_, problems := Decode([]byte(c.in), new(sample))
			for _, p := range problems {
				lines = append(lines, p.Error())
			}
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestPositions(t *testing.T) {
	positions, _ := Decode([]byte("name: a\nlist:\n  - count: 1\n    map: {x: y}\n"), new(sample))
	want := Positions{"": {1, 1}, "name": {1, 1}, "list": {2, 1}, "list[0]": {3, 5}, "list[0].count": {3, 5}, "list[0].map": {4, 5}, `list[0].map["x"]`: {4, 11}}
	if !reflect.DeepEqual(positions, want) {
		t.Errorf("got %v, want %v", positions, want)
	}
}

// A value may be a password: no problem may print it.
func TestProblemsQuoteNoValue(t *testing.T) {
	const secret = "hunter2"
	for _, format := range []string{
		"count: %s", "on: %s", "tags: %s", "sub: %s", "list: [%s]", "name: [%s]", "%s", "name: \"%s", "name: '%s", "name: x: %s", "name: [%s", "name: {%s",
		"map: {a: %s", "map:\n  a: %s\n b: c", "name: @%s", "name: `%s`", "name: %%%s", "tags:\n- %s\nname: b\n c", "name: &a %s", "name: !x %s", "name: |x\n  %s",
	} {
		_, problems := Decode(fmt.Appendf(nil, format, secret), new(sample))
		for _, p := range problems {
			if strings.Contains(p.Error(), secret) {
				t.Errorf("%q: %s", format, p.Error())
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nsub:\n  list:\n  - map: {a: b}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second sample
		if _, problems := Decode(data, &first); problems != nil {
			return
		}
		encoded, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := Decode(encoded, &second); problems != nil {
			t.Fatalf("%s: %v", encoded, problems)
		}
		if again, _ := json.Marshal(second); string(again) != string(encoded) {
			t.Errorf("%s became %s", encoded, again)
		}
	})
}
