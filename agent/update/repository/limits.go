package repository

import "github.com/stele-os/stele/internal/bundle"

// Bounds of what is read into memory.
const (
	maxRootBytes      = bundle.MaxRootMetadataBytes
	maxTimestampBytes = 16 << 10
	maxSnapshotBytes  = 64 << 10
	maxTargetsBytes   = bundle.MaxTargetsMetadataBytes
	// maxRotations of the root in one refresh; the next one goes on from there.
	maxRotations = 64
	maxTargets   = bundle.MaxTargets
	// maxDepth of metadata; a key in root.json lies 5 deep, a part of a bundle's Info 7.
	maxDepth = 12
)
