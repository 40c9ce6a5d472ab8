// Package v1alpha1 holds the configuration document: what a person writes to say how one machine should be.
//
// It is data and nothing else: no defaulting, no validation, no I/O. The agent and the command line share the code that
// decodes, merges, validates and plans a document (agent/config, agent/plan); clients import only this package.
// Where a concept is also Kubernetes', it has Kubernetes' name and shape. Pointers mark scalars whose absence differs from
// their zero value, because documents are merged (built-in < image < platform < user).
package v1alpha1

// APIVersion and Kind are what every document must carry.
const (
	APIVersion = "stele/v1alpha1"
	Kind       = "Machine"
)

// Machine is one configuration document.
type Machine struct {
	// APIVersion is always "stele/v1alpha1".
	APIVersion string `json:"apiVersion" yaml:"apiVersion" jsonschema:"enum=stele/v1alpha1"`
	// Kind is always "Machine".
	Kind string `json:"kind" yaml:"kind" jsonschema:"enum=Machine"`
	// Spec is the desired state of the machine.
	Spec MachineSpec `json:"spec,omitzero" yaml:"spec,omitempty"`
}

// MachineSpec is the desired state of one machine.
type MachineSpec struct {
	// Hostname is the machine's name (RFC 1123 label or dotted name). Empty: the name the platform gives, else the first label of the one that DHCP gives, else "stele".
	Hostname string `json:"hostname,omitempty" yaml:"hostname,omitempty"`
	// Network configures links and name resolution. Absent: every Ethernet link uses DHCPv4 and IPv6 autoconfiguration.
	Network Network `json:"network,omitzero" yaml:"network,omitempty"`
	// Time configures clock synchronisation.
	Time Time `json:"time,omitzero" yaml:"time,omitempty"`
	// Sysctls are kernel parameters by dotted name, set after the built-in hardening. kernel.io_uring_disabled: 0 gives io_uring to containers,
	// which is off otherwise.
	Sysctls map[string]string `json:"sysctls,omitempty" yaml:"sysctls,omitempty" jsonschema:"oneof_type=string;number"`
	// Registries say how image registries are reached, by host name as it stands in image references.
	Registries []Registry `json:"registries,omitempty" yaml:"registries,omitempty"`
	// Volumes are directories that containers mount by name.
	Volumes []Volume `json:"volumes,omitempty" yaml:"volumes,omitempty"`
	// API says who may call the machine's API. Without a CA the API does not listen.
	API API `json:"api,omitzero" yaml:"api,omitempty"`
	// Update says where new versions come from and what a new version must prove before it stays.
	Update Update `json:"update,omitzero" yaml:"update,omitempty"`
	// Containers run on the machine, merged by name.
	Containers []Container `json:"containers,omitempty" yaml:"containers,omitempty"`
}

// Network configures links and name resolution.
type Network struct {
	// Interfaces name the links that differ from the default (DHCPv4 and IPv6 autoconfiguration on every Ethernet link).
	Interfaces []Interface `json:"interfaces,omitempty" yaml:"interfaces,omitempty"`
	// Nameservers replace the ones learned from DHCP or router advertisements (IP addresses).
	Nameservers []string `json:"nameservers,omitempty" yaml:"nameservers,omitempty"`
	// SearchDomains replace the ones learned from DHCP.
	SearchDomains []string `json:"searchDomains,omitempty" yaml:"searchDomains,omitempty"`
}

// Interface configures one link, found by name or by hardware address.
type Interface struct {
	// Name is the kernel's name of the link, such as "eth0". Exactly one of name and macAddress is given.
	Name string `json:"name,omitempty" yaml:"name,omitempty"`
	// MACAddress is the link's hardware address, such as "52:54:00:12:34:56".
	MACAddress string `json:"macAddress,omitempty" yaml:"macAddress,omitempty"`
	// DHCP4 asks for an address by DHCPv4. Default: true unless an IPv4 address is listed.
	DHCP4 *bool `json:"dhcp4,omitempty" yaml:"dhcp4,omitempty"`
	// IPv6 is "auto" (router advertisements, and DHCPv6 where they ask for it) or "off". Default: auto.
	IPv6 string `json:"ipv6,omitempty" yaml:"ipv6,omitempty" jsonschema:"enum=auto,enum=off"`
	// Addresses are static addresses in CIDR form, such as "192.0.2.10/24".
	Addresses []string `json:"addresses,omitempty" yaml:"addresses,omitempty"`
	// Routes are static routes by way of this link.
	Routes []Route `json:"routes,omitempty" yaml:"routes,omitempty"`
	// MTU is the link's maximum transmission unit in bytes. Default: DHCP's, else the driver's.
	MTU int `json:"mtu,omitempty" yaml:"mtu,omitempty"`
}

// Route is one static route.
type Route struct {
	// To is the destination in CIDR form; "0.0.0.0/0" or "::/0" is the default route.
	To string `json:"to" yaml:"to"`
	// Via is the gateway's address. Absent: the destination is on the link.
	Via string `json:"via,omitempty" yaml:"via,omitempty"`
	// Metric is the route's priority; lower wins. Default: 100.
	Metric int `json:"metric,omitempty" yaml:"metric,omitempty"`
}

// Time configures clock synchronisation by SNTP (RFC 5905).
type Time struct {
	// Servers are host names or addresses. Empty: those of DHCP option 42, else none.
	Servers []string `json:"servers,omitempty" yaml:"servers,omitempty"`
}

// Registry says how one image registry is reached.
type Registry struct {
	// Host as it stands in image references, such as "registry.example.com:5000".
	Host string `json:"host" yaml:"host"`
	// Mirrors are tried in order before the host itself; each is "host[:port]" or an http(s) URL.
	Mirrors []string `json:"mirrors,omitempty" yaml:"mirrors,omitempty"`
	// PlainHTTP speaks HTTP instead of HTTPS. Only sensible with references by digest, or on a private network.
	PlainHTTP bool `json:"plainHTTP,omitempty" yaml:"plainHTTP,omitempty"`
	// CA is a PEM bundle trusted for this host beside the system's roots.
	CA string `json:"ca,omitempty" yaml:"ca,omitempty"`
}

// Volume is a directory that containers mount by name. Exactly one of its sources is given.
type Volume struct {
	// Name is how volumeMounts refer to it (RFC 1123 label).
	Name string `json:"name" yaml:"name"`
	// Persistent keeps the directory under /var across reboots and updates.
	Persistent *PersistentVolume `json:"persistent,omitempty" yaml:"persistent,omitempty"`
	// EmptyDir is a directory that is empty at each boot.
	EmptyDir *EmptyDirVolume `json:"emptyDir,omitempty" yaml:"emptyDir,omitempty"`
	// HostPath is an existing directory or file of the machine.
	HostPath *HostPathVolume `json:"hostPath,omitempty" yaml:"hostPath,omitempty"`
}

// PersistentVolume is kept under /var/lib/stele/volumes/NAME.
type PersistentVolume struct{}

// EmptyDirVolume is a tmpfs that lives as long as the boot.
type EmptyDirVolume struct {
	// SizeLimit bounds the tmpfs (Kubernetes quantity, such as "64Mi"). Default: 64Mi.
	SizeLimit string `json:"sizeLimit,omitempty" yaml:"sizeLimit,omitempty" jsonschema:"oneof_type=string;number"`
}

// HostPathVolume is a path of the machine.
type HostPathVolume struct {
	// Path is absolute and must exist.
	Path string `json:"path" yaml:"path"`
}
