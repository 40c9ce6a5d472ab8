// Package plan turns a validated configuration document and the machine's facts into the desired state.
//
// Plan is a pure function: no clock, no randomness, no I/O, so that `stele config plan` on a laptop shows what the machine
// will do, and golden files hold it. Bootstrap networking is the plan of the empty document, not a second code path.
package plan
