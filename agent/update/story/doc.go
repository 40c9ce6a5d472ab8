// Package story keeps what happened: one record for each boot of the machine, under /var/lib/stele/boots.
//
//	Begin ── Update (gates, committed) ── End        in the boot itself, as far as it gets
//	Explain                                          at the start of the next one: how the boot before ended, and which versions never reached the agent
//
// Explain is pure: it reads the newest record, the pending request of an apply or rollback, the slots' counters, the kernel's last words (pstore)
// and the watchdog. It decides nothing about slots; that is agent/update's business.
//
// On disk each boot is one file of lines, each with the digest of its content, and the last whole line counts. So a change is an append, a torn one is
// noticed and costs only itself, and only begin, commit and end wait for the disk.
//
// Invariants:
//   - At most 32 boots are kept, in 64 KiB each, with at most 8 KiB of panic text (TestBookIsBounded).
//   - A torn or damaged record never hides the others (TestBookSurvivesTearing, FuzzDecodeRecord).
//   - A disk that is full or read only costs the record, never the boot: the Book goes on in memory, and older boots make room (TestBookOnAFullDisk).
//   - A crash is told once, although a read-only firmware memory shows it at each boot (TestExplain): for as long as the story that tells it is kept.
//   - Order is that of the files' numbers, never of clock times: a machine may have no clock.
//
// One file for all boots was considered: its tearing would cost every story at once, or a rewrite of all at each change.
package story
