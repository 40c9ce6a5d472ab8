package bundle

// Bounds of a repository's metadata. Machines read no more of it into memory (agent/update/repository), so whoever signs must stay below
// (builder/repository): one version too many would keep every machine from every update.
const (
	MaxRootMetadataBytes    = 128 << 10
	MaxTargetsMetadataBytes = 1 << 20
	// MaxTargets in targets.json; 400 of them take about 400 KiB.
	MaxTargets = 1000
)
