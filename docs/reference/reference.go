// Package reference writes reference pages and JSON Schemas from Go source: of the configuration document and of the image definition.
//
// Comments, field tags and types of api/v1alpha1 and builder/definition are the one source: agent and builder decode by them, and
// TestGenerated compares what lies in docs/ with what this package makes of them. It reads source text (go/ast) because comments are not in
// the compiled program; it is linked into cmd/docgen and tests only. Rejected: a schema library with reflection, which would bring the same
// walk and a dependency.
package reference

import (
	"fmt"
	"path/filepath"
)

// documents are what has a reference: its page is <page>.md, with the head <page>.head.md, its schema <kind>.schema.json.
var documents = []struct{ page, kind, source, root string }{
	{"configuration", "machine", "api/v1alpha1", "Machine"},
	{"image", "image", "builder/definition", "Definition"},
}

// Files returns the generated files by their name in docs/, from the repository's directory.
func Files(repository string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, d := range documents {
		types, err := load(filepath.Join(repository, d.source), d.root)
		if err != nil {
			return nil, fmt.Errorf("cannot read the types of %q: %w", d.source, err)
		}
		schema, err := writeSchema("Stele "+d.root, types)
		if err != nil {
			return nil, err
		}
		head, err := heads.ReadFile(d.page + ".head.md")
		if err != nil {
			return nil, err
		}
		files[d.kind+".schema.json"], files[d.page+".md"] = schema, writePage(head, types)
	}
	return files, nil
}
