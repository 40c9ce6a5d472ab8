// Package nodev1 is the agent API's generated code (node.proto, which documents it): messages, and Connect clients and handlers.
// `make generate` makes it.
package nodev1
