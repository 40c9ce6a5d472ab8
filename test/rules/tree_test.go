// Package rules holds the rules of this repository as tests: who may import whom, how large a file may be, what must not stand in the
// tree. Each rule gives its reason, and each exception its own; a new exception is a line in a review.
//
// It reads the working tree and runs nothing, so that it is over in a second. Rules that a linter has (vet, staticcheck) are not here.
package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/stele-os/stele/"

// root of the repository, seen from this package.
const root = "../.."

// sourceFile is one Go file with its comments.
type sourceFile struct {
	path  string // from the root, such as "agent/plan/plan.go"
	lines int
	*ast.File
}

func (f sourceFile) directory() string { return path.Dir(f.path) }
func (f sourceFile) isTest() bool      { return strings.HasSuffix(f.path, "_test.go") }

// textFiles are all files of the tree that are no larger than a MiB and hold no zero byte, by path.
var textFiles = sync.OnceValue(func() map[string]string {
	files := map[string]string{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name == ".git" && !entry.IsDir() { // a linked worktree
			return nil
		}
		if entry.IsDir() {
			if name == ".git" || name == "build" || name == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
			return err
		}
		data, err := fs.ReadFile(tree, name)
		if text := string(data); !strings.Contains(text, "\x00") {
			files[name] = text
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return files
})

// sources are all Go files of the tree, parsed, but for those under testdata.
var sources = sync.OnceValue(func() []sourceFile {
	var files []sourceFile
	set := token.NewFileSet()
	for name, text := range textFiles() {
		if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
			continue
		}
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			panic(err)
		}
		files = append(files, sourceFile{name, strings.Count(text, "\n"), file})
	}
	return files
})

func TestTreeIsRead(t *testing.T) {
	if len(sources()) < 50 || textFiles()["go.mod"] == "" {
		t.Fatalf("%d Go files, %d files: the walk misses the repository", len(sources()), len(textFiles()))
	}
}
