package docs

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/docs/reference"
)

func TestGenerated(t *testing.T) {
	files, err := reference.Files("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is out of date: run make generate", name)
		}
	}
}

// fence finds YAML blocks of a Markdown page.
var fence = regexp.MustCompile("(?ms)^```ya?ml[^\n]*\n(.*?)^```")

// machineKind tells a configuration document from other YAML.
var machineKind = regexp.MustCompile(`(?m)^kind: Machine\s*$`)

// fenced calls each for the YAML blocks of that kind in README and pages.
func fenced(t *testing.T, kind *regexp.Regexp, each func(page string, block []byte)) {
	t.Helper()
	pages, _ := filepath.Glob("*.md")
	more, _ := filepath.Glob("*/*.md")
	count := 0
	for _, page := range append(append(pages, more...), "../README.md", "../ARCHITECTURE.md") {
		text, err := os.ReadFile(page)
		if err != nil && page != "../README.md" {
			t.Fatal(err)
		}
		for _, block := range fence.FindAllSubmatch(text, -1) {
			if kind.Match(block[1]) {
				count++
				each(page, block[1])
			}
		}
	}
	if count == 0 {
		t.Error("nothing found: is the pattern still right?")
	}
}

// TestFencedDocuments runs every configuration document in README and pages through the agent's code.
func TestFencedDocuments(t *testing.T) {
	fenced(t, machineKind, func(page string, block []byte) { evaluate(t, page, block, plan.Facts{}) })
}

// imageKind tells an image definition from other YAML.
var imageKind = regexp.MustCompile(`(?m)^kind: Image\s*$`)

// TestFencedDefinitions loads every image definition in README and pages as if it lay in images/.
func TestFencedDefinitions(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../images")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "fenced.yaml")
	fenced(t, imageKind, func(page string, block []byte) {
		if err := os.WriteFile(file, block, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := definition.Load(file); err != nil {
			t.Errorf("%s: %v", page, err)
		}
	})
}

// TestExamples evaluates every example; the facts beside them name the baked image.
func TestExamples(t *testing.T) {
	files, _ := filepath.Glob("examples/*.yaml")
	data, err := os.ReadFile("examples/facts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	facts, problems := config.DecodeFacts(data, "examples/facts.yaml")
	if problems != nil {
		t.Fatal(problems)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) != "facts.yaml" {
			evaluate(t, file, data, facts)
		}
	}
}

// TestMachineDocuments evaluates every other document in the tree, such as the one that `make run` boots with.
func TestMachineDocuments(t *testing.T) {
	facts := plan.Facts{Image: v1alpha1.ImageInfo{BakedImages: []v1alpha1.BakedImage{{Name: "demo"}}}}
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		switch base := filepath.Base(name); {
		case err != nil:
			return err
		case entry.IsDir() && (base == ".git" || base == "build" || base == "bin" || base == "testdata"):
			return fs.SkipDir
		case filepath.Ext(name) != ".yaml" || entry.IsDir():
			return nil
		}
		data, err := os.ReadFile(name)
		if err == nil && machineKind.Match(data) {
			evaluate(t, name, data, facts)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func evaluate(t *testing.T, name string, document []byte, facts plan.Facts) {
	t.Helper()
	if _, problems := config.Evaluate(config.Input{User: document, UserSource: name}, facts); problems != nil {
		for _, p := range problems {
			t.Error(p)
		}
	}
}
