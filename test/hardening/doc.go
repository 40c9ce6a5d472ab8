// Package hardening asks Debian's kernel-hardening-checker what it thinks of a kernel: its .config, its command line, and the kernel
// parameters of a running machine. The tool is pinned in images/lock.yaml, fetched by the builder's own machinery and run by the host's
// python3 without being installed: another version counts otherwise.
//
//	lock ─> Open (fetch, unpack) ─> Check(Subject) ─> []Check ─> Scores, Verdict ── compared ── kernel-configs/*.verdict, README.md (Excuses)
//
// The tool is the judge and no part of an image. What it refuses stands in kernel-configs/README.md with the reason and what limits the
// risk; tests hold that list against its verdict, both ways (TestEveryRefusalHasAReason; in QEMU TestHardening).
package hardening
