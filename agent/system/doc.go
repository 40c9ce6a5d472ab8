// Package system is the part of PID 1 that touches the kernel: mounts, control groups, kernel parameters, child processes,
// the watchdog, entropy, what the kernel kept of its last crash (pstore), and the way down to reboot(2).
//
// It decides little. Tables (mounts, kernel parameters) are data held by golden files; every effect is one thin, idempotent
// function that takes the directory it works in, so that the tests run without root. The order in which these things happen
// is agent/boot's; what a machine should run is not known here.
//
// Invariants:
//   - Only Reaper waits for processes, and only Reaper.Start starts them (TestReaperKeepsExitCodes): a second waiter would steal exit codes.
//   - The watchdog is fed only while the main loop's heartbeat is fresh (TestFresh), and never closed with the magic character.
//   - Nothing in the mount table is without nosuid; nodev and noexec are missing only where the table says why (TestMountFlags).
//
// systemd-like units were considered and left out: the machine has three kinds of children (containerd, shims, probes), and a
// list of Go functions under one supervisor says in which order they start more plainly than a graph.
package system
