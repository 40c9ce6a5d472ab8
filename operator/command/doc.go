// Package command is the part of the stele command line that calls machines: node, context and pki. It turns flags into calls and answers
// into lines; what is decided is decided in operator/node, contexts, pki and show.
package command
