// Package docs holds the documents that the command line prints; they are generated and compared by this folder's tests.
package docs

import _ "embed"

// MachineSchema is the JSON Schema of the configuration document.
//
//go:embed machine.schema.json
var MachineSchema []byte
