package repository

// Bounds of what is read into memory. A repository with 400 bundles has about 400 KiB of targets.json.
const (
	maxRootBytes      = 128 << 10
	maxTimestampBytes = 16 << 10
	maxSnapshotBytes  = 64 << 10
	maxTargetsBytes   = 1 << 20
	// maxRotations of the root in one refresh; the next one goes on from there.
	maxRotations = 64
	maxTargets   = 1000
	// maxDepth of metadata; a key in root.json lies 5 deep, a part of a bundle's Info 7.
	maxDepth = 12
)
