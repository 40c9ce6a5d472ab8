// Package docs holds the documents that the command line prints.
//
// configuration.md and machine.schema.json come from api/v1alpha1, image.md and image.schema.json from builder/definition (docs/reference),
// cli/ from the command line's own tree; TestGenerated and TestHelpPages (cmd/stele) compare them. TestFencedDocuments and
// TestFencedDefinitions run every document and definition in the pages through the agent's and the builder's code.
package docs

import _ "embed"

//go:generate go run ../cmd/docgen -root ..
//go:generate go test ../cmd/stele -run ^TestHelpPages$ -update

// MachineSchema is the JSON Schema of the configuration document.
//
//go:embed machine.schema.json
var MachineSchema []byte
