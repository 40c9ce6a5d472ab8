package config

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// Document is one decoded document and where each of its values stands.
type Document struct {
	Machine v1alpha1.Machine
	// Source is the document's name, for messages.
	Source string
	// Positions of the paths that the document sets. Nil for a document made in Go: every value but the zero value is set.
	Positions strictyaml.Positions
}

// empty is the document that wishes for nothing: every machine has a plan for it.
func empty() v1alpha1.Machine {
	return v1alpha1.Machine{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind}
}

// Decode reads a document strictly. Empty bytes are the empty document. With problems, the Document is not to be used.
func Decode(data []byte, source string) (Document, []Problem) {
	at := func(format string, args ...any) []Problem {
		return []Problem{{Source: source, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}}
	}
	if len(data) > metadata.MaxDocumentBytes {
		return Document{}, at("the document has %d bytes, the limit is %d: shorten it, or put large files into an image", len(data), metadata.MaxDocumentBytes)
	}
	doc := Document{Source: source}
	if len(bytes.TrimSpace(data)) == 0 {
		doc.Machine = empty()
		return doc, nil
	}
	if what := foreign(data); what != "" {
		return Document{}, at("looks like %s: expected %s", what, expectation)
	}
	positions, found := strictyaml.Decode(data, &doc.Machine)
	doc.Positions = positions
	if len(positions) == 0 && found == nil { // comments only
		doc.Machine = empty()
		return doc, nil
	}
	whole := slices.ContainsFunc(found, func(p strictyaml.Problem) bool { return p.Path == "" })
	if problem := checkHeader(doc); problem != nil && !whole {
		return Document{}, []Problem{*problem}
	}
	return doc, fromYAML(source, found)
}

// expectation is what every document begins with, for messages.
const expectation = "a Stele document, which begins with \"apiVersion: " + v1alpha1.APIVersion + "\" and \"kind: " + v1alpha1.Kind + "\""

// checkHeader tells a document of another kind in one message, instead of one for each field that it does not share with ours.
func checkHeader(doc Document) *Problem {
	_, hasVersion := doc.Positions["apiVersion"]
	_, hasKind := doc.Positions["kind"]
	problem := func(path, format string, args ...any) *Problem {
		at, ok := doc.Positions[path]
		if !ok {
			at = doc.Positions[""]
		}
		return &Problem{Source: doc.Source, Line: at.Line, Column: at.Column, Path: path, Message: fmt.Sprintf(format, args...)}
	}
	version, kind := doc.Machine.APIVersion, doc.Machine.Kind
	switch {
	case !hasVersion && !hasKind:
		return problem("", "apiVersion and kind are missing: expected %s", expectation)
	case version != v1alpha1.APIVersion:
		return problem("apiVersion", "this agent reads %q, found %q", v1alpha1.APIVersion, version)
	case kind != v1alpha1.Kind:
		return problem("kind", "this agent reads %q, found %q", v1alpha1.Kind, kind)
	}
	return nil
}
