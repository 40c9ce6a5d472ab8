// Package config brings a configuration document from bytes to the desired state, and decides which document is in force.
//
//	bytes -> Decode (strict) -> Merge (built-in < image < platform < user) -> Validate (all problems) -> plan.Plan -> state
//
// Evaluate is that chain as one pure function; the agent, `stele config check` and `stele config plan` all call it. Run is the effect half:
// it asks for metadata until there is some, publishes what Evaluate makes of it, and keeps the last good document under /var.
//
// Invariants: a document with one problem changes nothing (TestRun/invalid*); problems name path, line and column and never quote
// the value of an environment variable (TestProblemsKeepSecrets); Evaluate of nothing is the bootstrap plan.
//
// It does not fetch (agent/metadata) and applies nothing (the reconcilers). Rejected: applying the valid parts of a document with problems:
// half a configuration is a state nobody asked for.
package config

import (
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
)

// Input is everything that a machine's document is made of.
type Input struct {
	// Image is the image definition's own document; empty where it has none.
	Image []byte
	// User is the user-data; empty where there is none. UserSource is where it came from, in words for people.
	User       []byte
	UserSource string
}

// Evaluate makes the desired state of an input, or says everything that is wrong with it. The platform's layer is facts.Hostname.
func Evaluate(in Input, facts plan.Facts) (plan.Desired, []Problem) {
	image, problems := Decode(in.Image, v1alpha1.ImageDocumentPath)
	user, userProblems := Decode(in.User, in.UserSource)
	if problems = append(problems, userProblems...); problems != nil {
		return plan.Desired{}, problems
	}
	merged := Merge([]Layer{
		{Name: "image", Document: image},
		{Name: "platform", Document: platformDocument(facts.Hostname)},
		{Name: "user", Document: user},
	})
	if problems := merged.Locate(Validate(merged.Machine, facts)); problems != nil {
		return plan.Desired{}, problems
	}
	desired, err := plan.Plan(merged.Machine, facts)
	if err != nil {
		return plan.Desired{}, []Problem{{Source: in.UserSource, Message: err.Error()}}
	}
	return desired, nil
}
