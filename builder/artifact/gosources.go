package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// modulePath is this module's, as go.mod has it.
const modulePath = "github.com/stele-os/stele"

// digestPackages hashes the files of a package and of every package of this module below it, tests left out. It takes files of
// all platforms: a few too many make a key too careful, never wrong.
func digestPackages(root, dir string) (string, error) {
	visited := map[string]bool{}
	queue := []string{filepath.ToSlash(filepath.Clean(dir))}
	sum := sha256.New()
	for len(queue) > 0 {
		dir, queue = queue[0], queue[1:]
		if visited[dir] {
			continue
		}
		visited[dir] = true
		imports, err := importsOf(filepath.Join(root, dir))
		if err != nil {
			return "", fmt.Errorf("cannot read Go package %q: %w", dir, err)
		}
		queue = append(queue, imports...)
	}
	for _, dir := range slices.Sorted(maps.Keys(visited)) {
		if err := hashFolder(sum, root, dir); err != nil {
			return "", fmt.Errorf("cannot read Go package %q: %w", dir, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// importsOf returns the folders of this module that the package in dir imports.
func importsOf(dir string) ([]string, error) {
	files, err := goFiles(dir)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ImportsOnly)
		if err != nil {
			return nil, err
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if local, ok := strings.CutPrefix(path, modulePath+"/"); ok {
				imports = append(imports, local)
			}
		}
	}
	return imports, nil
}

func goFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no Go files in %q", dir)
	}
	return names, nil
}

// hashFolder hashes a package's own files and the folders below it that hold no Go package (data that it may embed).
func hashFolder(sum interface{ Write([]byte) (int, error) }, root, dir string) error {
	return filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if _, err := goFiles(path); name != filepath.FromSlash(dir) && (err == nil || entry.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		return err
	})
}

// Constant returns a string constant of a package of the checkout, read from its source: the builder may not import the agent.
func (g *Go) Constant(dir, name string) (string, error) {
	folder := filepath.Join(g.Root, dir)
	files, err := goFiles(folder)
	if err != nil {
		return "", fmt.Errorf("cannot read Go package %q: %w", dir, err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, file), nil, parser.SkipObjectResolution)
		if err != nil {
			return "", fmt.Errorf("cannot read Go package %q: %w", dir, err)
		}
		if value, ok := findConstant(parsed, name); ok {
			return value, nil
		}
	}
	return "", fmt.Errorf("cannot find constant %q in Go package %q", name, dir)
}

func findConstant(file *ast.File, name string) (string, bool) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.CONST {
			continue
		}
		for _, spec := range general.Specs {
			value := spec.(*ast.ValueSpec)
			if len(value.Names) != 1 || value.Names[0].Name != name || len(value.Values) != 1 {
				continue
			}
			if literal, ok := value.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				return text, err == nil
			}
		}
	}
	return "", false
}
