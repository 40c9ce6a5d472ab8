// Package repository reads an update repository: a TUF repository (specification 1.0.33) in a directory tree,
//
//	metadata/N.root.json  metadata/timestamp.json  metadata/N.snapshot.json  metadata/N.targets.json
//	targets/<sha256>.<name>_<version>_<architecture>.bundle
//
// from a web server or, by the API's Push, from an operator's disk. Source is the only difference between the two.
//
//	root.json of the image ─┐
//	kept state, floors ─────┼─> Client.Refresh(Source) ─> Targets ─> Select(machine, version) ─> Target ─> agent/update/transfer
//	clock, build time ──────┘   (TUF §5.3 to §5.6)       (verified)  (pure)
//
// The root of trust is the file of the running image. Roots that came later are kept, but each run starts at the image's and walks the chain
// again, so nothing under /var can replace it. Versions that were seen once are floors: nothing below them is taken, even when the kept metadata
// is torn or gone (TestTornState). Floors fall in two cases only, both in the hands of the root keys: keys of timestamp or snapshot were
// revoked (§5.3.11, TestFastForwardRecovery), or the image brought a root of trust that shares no key with the one before it (TestNewLineage).
//
// go-tuf's trustedmetadata decides about signatures, versions and expiry. Its updater is not used: it keeps its files without fsync, every
// torn file makes each later refresh fail, it has no floors, and it holds whole targets in memory. Its decoder panics on some documents that are
// not signed yet; screen refuses those before (FuzzMetadata). Delegated targets are not read: one image has one publisher.
//
// What is not known here: whether a doubtful clock is late. It is compared as it is, though never as earlier than the image's build or the
// last refresh under a good clock; an error of expiry says that the clock is in doubt.
package repository
