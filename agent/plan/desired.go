package plan

import "net/netip"

// Desired is the plan's result: everything the reconcilers need, with every default filled in and every quantity a number.
// It is a value: no pointers shared with the document, comparable by reflect.DeepEqual, printable as YAML (golden files).
type Desired struct {
	Hostname   string      `json:"hostname" yaml:"hostname"`
	Sysctls    []Sysctl    `json:"sysctls,omitempty" yaml:"sysctls,omitempty"`
	Network    Network     `json:"network" yaml:"network"`
	Time       Time        `json:"time" yaml:"time"`
	Registries []Registry  `json:"registries,omitempty" yaml:"registries,omitempty"`
	Volumes    []Volume    `json:"volumes,omitempty" yaml:"volumes,omitempty"`
	API        API         `json:"api,omitzero" yaml:"api,omitempty"`
	Update     Update      `json:"update" yaml:"update"`
	Containers []Container `json:"containers,omitempty" yaml:"containers,omitempty"`
}

// Sysctl is one kernel parameter, sorted by name in Desired.
type Sysctl struct {
	Name  string `json:"name" yaml:"name"`
	Value string `json:"value" yaml:"value"`
}

// Network is what the network reconciler applies. A link that exists and matches no entry gets Default.
type Network struct {
	Links         []Link       `json:"links,omitempty" yaml:"links,omitempty"`
	Default       Link         `json:"default" yaml:"default"`
	Nameservers   []netip.Addr `json:"nameservers,omitempty" yaml:"nameservers,omitempty"`
	SearchDomains []string     `json:"searchDomains,omitempty" yaml:"searchDomains,omitempty"`
}

// Link is the wanted configuration of one link. Name or MACAddress selects it; both are empty in Network.Default.
type Link struct {
	Name       string         `json:"name,omitempty" yaml:"name,omitempty"`
	MACAddress string         `json:"macAddress,omitempty" yaml:"macAddress,omitempty"`
	DHCP4      bool           `json:"dhcp4" yaml:"dhcp4"`
	IPv6Auto   bool           `json:"ipv6Auto" yaml:"ipv6Auto"`
	Addresses  []netip.Prefix `json:"addresses,omitempty" yaml:"addresses,omitempty"`
	Routes     []Route        `json:"routes,omitempty" yaml:"routes,omitempty"`
	// MTUBytes 0: DHCP's, else the driver's.
	MTUBytes int `json:"mtuBytes,omitempty" yaml:"mtuBytes,omitempty"`
}

// Route by way of a link. Via is invalid (zero) for an on-link route.
type Route struct {
	To     netip.Prefix `json:"to" yaml:"to"`
	Via    netip.Addr   `json:"via,omitzero" yaml:"via"`
	Metric int          `json:"metric" yaml:"metric"`
}

// Time is what the clock reconciler applies.
type Time struct {
	Servers []string `json:"servers,omitempty" yaml:"servers,omitempty"`
}

// Registry says how one image registry is reached; Endpoints are complete URLs in the order in which they are tried.
type Registry struct {
	Host      string   `json:"host" yaml:"host"`
	Endpoints []string `json:"endpoints" yaml:"endpoints"`
	CA        string   `json:"ca,omitempty" yaml:"ca,omitempty"`
}

// VolumeKind is where a volume's bytes live.
type VolumeKind string

// The kinds of volumes.
const (
	VolumePersistent VolumeKind = "persistent"
	VolumeEmptyDir   VolumeKind = "emptyDir"
	VolumeHostPath   VolumeKind = "hostPath"
)

// Volume is a directory on the machine. Path is where it is (or is to be made) outside of containers.
type Volume struct {
	Name      string     `json:"name" yaml:"name"`
	Kind      VolumeKind `json:"kind" yaml:"kind"`
	Path      string     `json:"path" yaml:"path"`
	SizeBytes int64      `json:"sizeBytes,omitempty" yaml:"sizeBytes,omitempty"`
}
