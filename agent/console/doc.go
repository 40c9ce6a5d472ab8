// Package console is what a person, or a test, sees of a machine: lines that begin with "stele: ", on /dev/console.
//
//	state.Machine -> snapshot -> phase, lines, report (pure) -> Console (bounded queue) -> /dev/console
//
// The words and forms are a contract with the test harness and with people's log scrapers; golden files hold them.
// It is output only: there is no login, no prompt, nothing to type at.
//
// Invariants:
//   - A slow or dead serial line never blocks the agent (TestFullQueueDropsAndCounts).
//   - Text from outside cannot control the terminal (TestControlCharacters).
//   - Values of environment variables and documents are never printed; what is printed of a container is its name, image,
//     phase and reason (TestReport).
//
// The kernel log was considered as the way out (/dev/kmsg): it is rate-limited, and the console log level would hide lines.
package console
