package rules

import (
	"go/ast"
	"path"
	"strings"
	"testing"
)

const (
	maxFileLines = 400
	maxMainLines = 100
)

// longFiles may be longer than maxFileLines, each for its reason.
var longFiles = map[string]string{
	"agent/storage/storage_test.go": "one set of disk fixtures serves all its tables",
}

func TestFileLength(t *testing.T) {
	for _, file := range sources() {
		if _, excepted := longFiles[file.path]; !ast.IsGenerated(file.File) && file.lines >= maxFileLines && !excepted {
			t.Errorf("%s has %d lines: split it by idea (the limit is %d)", file.path, file.lines, maxFileLines)
		}
	}
	for name := range longFiles {
		if strings.Count(textFiles()[name], "\n") < maxFileLines {
			t.Errorf("%s is no exception any more: remove it from longFiles", name)
		}
	}
}

// Mains call one package; what is longer decides something, and belongs where it can be tested.
func TestMainsAreThin(t *testing.T) {
	for _, file := range sources() {
		if strings.HasPrefix(file.path, "cmd/") && !file.isTest() && file.Name.Name == "main" && file.lines >= maxMainLines {
			t.Errorf("%s has %d lines: move what it decides into a package (the limit is %d)", file.path, file.lines, maxMainLines)
		}
	}
}

// A package says what it is, what it is not, its invariants, the spec it follows and what was rejected.
func TestPackageDocs(t *testing.T) {
	docs := map[string]int{}
	for _, file := range sources() {
		if strings.HasSuffix(file.Name.Name, "_test") {
			continue
		}
		docs[file.directory()] += 0
		if file.Doc != nil && !file.isTest() || file.Doc != nil && testsOnly(file.directory()) {
			docs[file.directory()]++
		}
	}
	for directory, count := range docs {
		if count != 1 {
			t.Errorf("%s has %d package comments, want one", directory, count)
		}
	}
}

func testsOnly(directory string) bool {
	for _, file := range sources() {
		if file.directory() == directory && !file.isTest() {
			return false
		}
	}
	return true
}

// emptyNames say nothing about what is inside.
var emptyNames = map[string]bool{"util": true, "utils": true, "common": true, "helper": true, "helpers": true, "types": true, "misc": true, "shared": true, "lib": true}

func TestPackageNames(t *testing.T) {
	for _, file := range sources() {
		if emptyNames[file.Name.Name] || emptyNames[path.Base(file.directory())] {
			t.Errorf("%s: package %s: name it after what it does", file.path, file.Name.Name)
		}
	}
}

// exits are files outside main packages that may end the process, each for its reason.
var exits = map[string]string{
	"agent/containerd/dispatch.go": "containerd and its shim are processes of their own, in the agent's binary",
	"internal/vm/relay.go":         "the relay is a process of its own, in the program that started the machine",
}

// PID 1 never exits, and a library has no right to: os.Exit and log.Fatal stand in main packages only.
func TestOnlyMainsExit(t *testing.T) {
	for _, file := range sources() {
		if _, excepted := exits[file.path]; excepted || file.Name.Name == "main" || file.isTest() {
			continue
		}
		ast.Inspect(file.File, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := call.X.(*ast.Ident); ok && (of.Name == "os" && call.Sel.Name == "Exit" || of.Name == "log" && strings.HasPrefix(call.Sel.Name, "Fatal")) {
					t.Errorf("%s calls %s.%s: return an error", file.path, of.Name, call.Sel.Name)
				}
			}
			return true
		})
	}
}
