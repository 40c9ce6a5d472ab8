package config

import (
	"slices"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// mask stands for a secret: the value of an environment variable.
const mask = "<masked>"

// masked returns a document in which every secret is replaced by the mask. The original stays as it is.
func masked(doc v1alpha1.Machine) v1alpha1.Machine {
	doc.Spec.Containers = slices.Clone(doc.Spec.Containers)
	for i := range doc.Spec.Containers {
		env := slices.Clone(doc.Spec.Containers[i].Env)
		for j := range env {
			if env[j].Value != "" {
				env[j].Value = mask
			}
		}
		doc.Spec.Containers[i].Env = env
	}
	return doc
}

// findMask finds values that were masked when the document was read, and would be lost if it were applied.
func findMask(document []byte) (problems []Problem) {
	doc, found := Decode(document, apiSource)
	if found != nil {
		return found
	}
	for i, container := range doc.Machine.Spec.Containers {
		for j, env := range container.Env {
			if env.Value != mask {
				continue
			}
			path := strictyaml.Index(strictyaml.Index("spec.containers", i)+".env", j) + ".value"
			at := doc.Positions[path]
			problems = append(problems, Problem{Source: apiSource, Line: at.Line, Column: at.Column, Path: path,
				Message: "is the mask of a secret, not the secret: give its value, or get the document as an admin"})
		}
	}
	return problems
}
