package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// structType is one Go struct of the document.
type structType struct {
	name, doc string
	fields    []field
}

// field of a struct, with everything that page and schema say about it.
type field struct {
	name, doc, fallback string // fallback: what the comment says behind "Default:"
	kind                kind
	enum                []string
	takesNumber         bool
	required            bool
}

// kind is a field's type: a scalar ("string", "integer", "boolean"), a struct by its name, a list or a map of one of these.
type kind struct {
	list, mapping bool
	scalar        string
	object        string
}

// load returns the structs that root reaches, root first, each before those that it uses.
func load(directory, root string) ([]structType, error) {
	specs, docs, words, err := parse(directory)
	if err != nil {
		return nil, err
	}
	var types []structType
	seen := map[string]bool{root: true}
	for queue := []string{root}; len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		spec, ok := specs[name]
		if !ok {
			return nil, fmt.Errorf("there is no struct %q", name)
		}
		t, err := structOf(name, docs[name], spec, words)
		if err != nil {
			return nil, fmt.Errorf("cannot read struct %q: %w", name, err)
		}
		types = append(types, t)
		for _, f := range t.fields {
			if f.kind.object != "" && !seen[f.kind.object] {
				seen[f.kind.object] = true
				queue = append(queue, f.kind.object)
			}
		}
	}
	return types, nil
}

// parse returns the structs of a directory, their comments, and the names of its string types.
func parse(directory string) (specs map[string]*ast.StructType, docs map[string]string, words map[string]bool, err error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		return nil, nil, nil, err
	}
	specs, docs, words = map[string]*ast.StructType{}, map[string]string{}, map[string]bool{}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.TypeSpec)
				switch t := spec.Type.(type) {
				case *ast.StructType:
					specs[spec.Name.Name], docs[spec.Name.Name] = t, text(decl.Doc)
				case *ast.Ident:
					words[spec.Name.Name] = t.Name == "string"
				}
			}
		}
	}
	return specs, docs, words, nil
}

func structOf(name, doc string, spec *ast.StructType, words map[string]bool) (structType, error) {
	t := structType{name: name, doc: doc}
	for _, f := range spec.Fields.List {
		if len(f.Names) != 1 || f.Tag == nil {
			return structType{}, fmt.Errorf("each field has one name and a tag")
		}
		if strings.Contains(f.Tag.Value, `yaml:"-"`) {
			continue
		}
		if f.Doc == nil {
			return structType{}, fmt.Errorf("field %q has no comment", f.Names[0].Name)
		}
		field, err := fieldOf(f)
		if err != nil {
			return structType{}, fmt.Errorf("field %q: %w", f.Names[0].Name, err)
		}
		if words[field.kind.object] {
			field.kind.scalar, field.kind.object = "string", ""
		}
		t.fields = append(t.fields, field)
	}
	return t, nil
}

// fallbackSentence: "Default: Always." up to the full stop that ends it.
var fallbackSentence = regexp.MustCompile(`\s*Default: (.*?)\.(\s+|$)`)

func fieldOf(f *ast.Field) (field, error) {
	literal, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return field{}, err
	}
	tag := reflect.StructTag(literal)
	name, options, _ := strings.Cut(tag.Get("yaml"), ",")
	out := field{name: name, required: options == "", doc: text(f.Doc)}
	if m := fallbackSentence.FindStringSubmatch(out.doc); m != nil {
		out.fallback = m[1]
		out.doc = strings.TrimSpace(strings.Replace(out.doc, m[0], " ", 1))
	}
	if rest, ok := strings.CutPrefix(out.doc, f.Names[0].Name+" "); ok {
		out.doc = name + " " + rest
	}
	for _, option := range strings.Split(tag.Get("jsonschema"), ",") {
		if word, ok := strings.CutPrefix(option, "enum="); ok {
			out.enum = append(out.enum, word)
		}
		out.takesNumber = out.takesNumber || option == "oneof_type=string;number"
	}
	out.kind, err = kindOf(f.Type)
	return out, err
}

func kindOf(e ast.Expr) (kind, error) {
	switch t := e.(type) {
	case *ast.StarExpr:
		return kindOf(t.X)
	case *ast.ArrayType:
		k, err := kindOf(t.Elt)
		k.list = true
		return k, err
	case *ast.MapType:
		k, err := kindOf(t.Value)
		k.mapping = true
		return k, err
	case *ast.Ident:
		switch t.Name {
		case "string":
			return kind{scalar: "string"}, nil
		case "bool":
			return kind{scalar: "boolean"}, nil
		case "int", "int64":
			return kind{scalar: "integer"}, nil
		}
		return kind{object: t.Name}, nil
	}
	return kind{}, fmt.Errorf("type %T has no place in a document", e)
}

// text of a comment as one line.
func text(doc *ast.CommentGroup) string {
	return strings.Join(strings.Fields(doc.Text()), " ")
}
