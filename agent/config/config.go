// Package config brings a configuration document from bytes to the desired state, and decides which document is in force.
//
//	bytes -> Decode (strict) -> Merge (built-in < image < platform < user) -> Validate (all problems) -> plan.Plan -> state
//
// Evaluate is that chain as one pure function; the agent, `stele config check` and `stele config plan` all call it. Manager is the effect half:
// it asks for metadata until there is some, takes documents from the API, publishes what Evaluate makes of the one that choose (pure) puts in
// force, and keeps documents per slot (agent/slotstate):
//
//	document/last-good   the newest valid document of metadata
//	document/api         the document of the API; it takes the place of metadata's from then on, until it is taken back
//	document/trial       a document of the API that is in force until its deadline, or for good once confirmed
//
// Invariants: a document with one problem changes nothing (TestRun/invalid*, TestApplyRefuses); problems name path, line and column and never
// quote the value of an environment variable (TestProblemsKeepSecrets); Evaluate of nothing is the bootstrap plan; a trial that is not confirmed
// ends at its deadline whatever the clock says, at a restart of the manager, and at the next boot (TestTrialEndsAtItsDeadline, TestTrialEndsWithItsManager,
// TestTrialEndsWithItsBoot).
//
// It does not fetch (agent/metadata) and applies nothing (the reconcilers). Rejected: applying the valid parts of a document with problems:
// half a configuration is a state nobody asked for. Rejected: a document of the API as a further layer over metadata's: what a machine does would
// depend on two documents that nobody ever saw together.
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
	_, desired, problems := evaluate(in, facts)
	return desired, problems
}

// evaluate returns the merged document, too.
func evaluate(in Input, facts plan.Facts) (v1alpha1.Machine, plan.Desired, []Problem) {
	image, problems := Decode(in.Image, v1alpha1.ImageDocumentPath)
	user, userProblems := Decode(in.User, in.UserSource)
	if problems = append(problems, userProblems...); problems != nil {
		return v1alpha1.Machine{}, plan.Desired{}, problems
	}
	merged := Merge([]Layer{
		{Name: "image", Document: image},
		{Name: "platform", Document: platformDocument(facts.Hostname)},
		{Name: "user", Document: user},
	})
	if problems := merged.Locate(Validate(merged.Machine, facts)); problems != nil {
		return v1alpha1.Machine{}, plan.Desired{}, problems
	}
	desired, err := plan.Plan(merged.Machine, facts)
	if err != nil {
		return v1alpha1.Machine{}, plan.Desired{}, []Problem{{Source: in.UserSource, Message: err.Error()}}
	}
	return merged.Machine, desired, nil
}
