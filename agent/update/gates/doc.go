// Package gates decides whether a version on probation may stay.
//
//	state values, answers of checks, confirmation ─> Evaluate ─> gates ─> Probation ─> wait, commit, reject      both pure
//	                 Run: watches the state, asks the checks, publishes the gates
//
// It does not commit, reject or restart anything: Run returns a Verdict, and agent/update acts on it.
//
// Gates stand in a fixed order: settled, network, storage, runtime, api (where the document asks for it), one for each required container, one
// for each check of the document, confirmation (where one is asked for).
//
// A gate is held, waiting or failed. Failed is final, and the version is rejected at once; only what cannot heal in this boot fails:
//
//   - storage: /var could not be put on the disk. It is mounted once in a boot.
//   - a required container that has exited with an error and whose policy says that it stays so.
//
// Everything else waits until the deadline, since it can heal without the machine's doing: an invalid document is corrected at its source, an image
// appears in its registry, a port becomes free, a network comes back, a container gets over its dependency's absence.
//
// Invariants:
//   - A version commits only after all gates held without a break for the probation time, and confirmed where that is asked for
//     (TestProbationNeverCommitsTooEarly).
//   - Probation has an end: at the deadline there is a verdict (TestProbationEnds). Only where there is no version to go back to it goes on until the
//     gates hold (TestProbationWithoutAWayBack): a reject would change nothing, and a machine that heals late must still commit.
//   - Setting the clock moves neither hold nor deadline: times are compared by the monotonic clock they carry.
//
// Confirmation is not part of the hold: a word that comes after the time of the hold commits at once, one that comes before it is kept.
// A score over several gates was considered and left out: nobody can tell from a score what to repair.
package gates
