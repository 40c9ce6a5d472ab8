package v1alpha1

// Paths on the root file system that builder and agent share. A test in builder/tree and one in agent/boot read them from here.
const (
	// AgentPath is the multi-call binary: agent (PID 1), containerd and its shim. /sbin/init links to it.
	AgentPath = "/usr/lib/stele/agent"
	// RuncPath is the OCI runtime.
	RuncPath = "/usr/lib/stele/runc"
	// ShimPath links to AgentPath under the name by which containerd looks for its shim.
	ShimPath = "/usr/bin/containerd-shim-runc-v2"
	// ImageInfoPath holds one ImageInfo as JSON.
	ImageInfoPath = "/usr/lib/stele/image.json"
	// ImageDocumentPath holds the definition's own Machine document as YAML, if it has one.
	ImageDocumentPath = "/usr/lib/stele/machine.yaml"
	// VarTemplatePath is a small empty ext4 file system, zstd-compressed; the agent writes it where /var must be made anew.
	VarTemplatePath = "/usr/lib/stele/var.ext4.zst"
	// UpdateRootPath is the root metadata (TUF) that the machine's updates are checked against; an image without it takes none.
	UpdateRootPath = "/usr/lib/stele/update-root.json"
	// BakedImagesPath holds one directory per baked image: BakedImagesPath/<name>/{rootfs/,config.json}.
	BakedImagesPath = "/usr/lib/stele/images"
)

// ImageInfo is what the builder tells the agent about the image it runs from. Written by builder/tree, read by agent/boot.
type ImageInfo struct {
	// Name of the image definition, such as "base".
	Name string `json:"name"`
	// Version of the image (semantic version).
	Version string `json:"version"`
	// SecurityVersion below which no image is taken once this one has been committed.
	SecurityVersion int64 `json:"securityVersion,omitempty"`
	// Architecture is "x86_64" or "arm64".
	Architecture string `json:"architecture"`
	// BuildTime in Unix seconds: the clock is never before it.
	BuildTime int64 `json:"buildTime"`
	// Platform fixes where the configuration comes from ("qemu", "nocloud", "ec2", "metal", "none"); empty: detect.
	// stele.platform= on the kernel command line overrides it.
	Platform string `json:"platform,omitempty"`
	// MetadataTimeoutSeconds is how long the agent waits for metadata before it says so and uses the last good document; it goes on trying.
	MetadataTimeoutSeconds int `json:"metadataTimeoutSeconds"`
	// BakedImages lie under BakedImagesPath.
	BakedImages []BakedImage `json:"bakedImages,omitempty"`
}

// BakedImage is one OCI image that lies unpacked inside the verified root.
type BakedImage struct {
	// Name is how containers refer to it (Container.Image); also its directory under BakedImagesPath.
	Name string `json:"name"`
	// Digest of the OCI manifest, "sha256:<hex>".
	Digest string `json:"digest"`
}
