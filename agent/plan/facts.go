package plan

import "github.com/stele-os/stele/api/v1alpha1"

// Facts are what a machine knows about itself before it plans. `stele config plan --facts FILE` reads them as YAML.
type Facts struct {
	// Image the machine runs.
	Image v1alpha1.ImageInfo `json:"image" yaml:"image"`
	// Platform that delivered the metadata: "qemu", "nocloud", "ec2", "metal"; empty before metadata is there.
	Platform string `json:"platform,omitempty" yaml:"platform,omitempty"`
	// Hostname from the platform's metadata.
	Hostname string `json:"hostname,omitempty" yaml:"hostname,omitempty"`
	// InstanceID from the platform's metadata.
	InstanceID string `json:"instanceID,omitempty" yaml:"instanceID,omitempty"`
	// CPUs online.
	CPUs int `json:"cpus,omitempty" yaml:"cpus,omitempty"`
	// MemoryBytes is MemTotal of /proc/meminfo.
	MemoryBytes int64 `json:"memoryBytes,omitempty" yaml:"memoryBytes,omitempty"`
}
