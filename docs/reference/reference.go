// Package reference writes the configuration document's reference page and JSON Schema from its Go source.
//
// Comments, field tags and types of api/v1alpha1 are the one source: the agent decodes by them, and TestGenerated compares what lies in
// docs/ with what this package makes of them. It reads source text (go/ast) because comments are not in the compiled program; it is
// linked into cmd/docgen and tests only. Rejected: a schema library with reflection, which would bring the same walk and a dependency.
package reference

import "fmt"

// Files returns the generated files by their name in docs/, from the directory of the document's Go source.
func Files(apiDirectory string) (map[string][]byte, error) {
	types, err := load(apiDirectory, "Machine")
	if err != nil {
		return nil, fmt.Errorf("cannot read the document's types: %w", err)
	}
	schema, err := writeSchema(types)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"machine.schema.json": schema, "configuration.md": writePage(types)}, nil
}
