// Package plan turns a validated configuration document and the machine's facts into the desired state.
//
// Plan is a pure function: no clock, no randomness, no I/O, so that `stele config plan` on a laptop shows what the machine
// will do, and golden files hold it (TestPlan). Bootstrap networking is the plan of the empty document, not a second code path.
//
// Here every default is filled in and every quantity becomes a number; nowhere else. Plan expects what config.Validate let through:
// its own errors are a second net, not messages for people. Rejected: defaults in the document's decoder, as in Kubernetes: a merged
// document could then no longer tell a default from a choice.
package plan
