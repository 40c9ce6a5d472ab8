package state

import (
	"net/netip"
	"time"

	"github.com/stele-os/stele/agent/plan"
)

// Machine is the state of one running machine. Beside each value: who writes it.
type Machine struct {
	// Facts: boot at start, metadata when the platform has answered.
	Facts Value[plan.Facts]
	// Desired: config publishes it. The plan of the empty document stands here from the start.
	Desired Value[plan.Desired]
	// Boot: how this boot came about (boot).
	Boot Value[Boot]
	// Document: where the configuration comes from and how it is (config).
	Document Value[Document]
	// Network: links, addresses, leases (network).
	Network Value[Network]
	// Clock: whether the time can be trusted (clock).
	Clock Value[Clock]
	// Storage: /var (storage).
	Storage Value[Storage]
	// Runtime: containerd itself (containers).
	Runtime Value[Runtime]
	// Containers: each container of the document, sorted by name (containers).
	Containers Value[[]Container]
	// Update: slots, staging, probation (update).
	Update Value[Update]
	// Boots: the stories of this boot and of those before it, the newest first (update).
	Boots Value[[]BootStory]
	// API: where and as whom the API server listens (server).
	API Value[API]
	// Health: the machine in one word (console).
	Health Value[Health]
	// Shutdown: published once, when the machine goes down (boot).
	Shutdown Value[Shutdown]
}

// Shutdown says why the machine goes down, and whether it comes back.
type Shutdown struct {
	PowerOff bool   `json:"powerOff"` // else restart
	Reason   string `json:"reason"`   // such as "power button"
}

// Boot is how this boot came about.
type Boot struct {
	Version      string `json:"version"`
	Slot         string `json:"slot"`                   // "a", "b", or "" where unknown
	RootHash     string `json:"rootHash"`               // hex, from the kernel command line
	BootDisk     string `json:"bootDisk"`               // such as "/dev/vda"
	ESP          string `json:"esp"`                    // such as "/dev/vda1"
	FirmwareUsec uint64 `json:"firmwareUsec,omitempty"` // LoaderTimeInitUSec; 0 without a loader
	LoaderUsec   uint64 `json:"loaderUsec,omitempty"`   // LoaderTimeExecUSec minus the former
	// SecureBoot is what the firmware says.
	SecureBoot SecureBoot `json:"secureBoot,omitzero"`
	// Started is when the agent began, Ready when its managers ran; both since kernel start.
	Started time.Duration `json:"started,omitempty"`
	Ready   time.Duration `json:"ready,omitempty"`
}

// DocumentPhase says where configuration stands. These words appear on the console.
type DocumentPhase string

// The phases.
const (
	DocumentWaiting  DocumentPhase = "waiting-for-metadata" // no source has answered yet
	DocumentMissing  DocumentPhase = "no-metadata"          // the time given in the image is over; the agent goes on trying
	DocumentInvalid  DocumentPhase = "invalid"              // a document came and has errors; the last good one, if any, stays in force
	DocumentApplied  DocumentPhase = "applied"              // the newest document is in force
	DocumentLastGood DocumentPhase = "last-good"            // no source answers; the one kept under /var is in force
)

// Document is where the configuration comes from and how it is.
type Document struct {
	Phase  DocumentPhase `json:"phase"`
	Source string        `json:"source,omitempty"` // such as "fw_cfg opt/stele/config"
	Digest string        `json:"digest,omitempty"` // sha256:<hex> of the bytes
	// RevertAt is set while the document is on trial: then it is taken back unless somebody confirms it.
	RevertAt time.Time `json:"revertAt,omitzero"`
	// Errors are complete sentences with paths, for the console. Never secrets.
	Errors []string `json:"errors,omitempty"`
	// Warnings do not make the machine degraded.
	Warnings []string `json:"warnings,omitempty"`
}

// Network is the observed network.
type Network struct {
	Links       []Link       `json:"links,omitempty"`
	Nameservers []netip.Addr `json:"nameservers,omitempty"`
	// NTPServers learned from DHCP option 42.
	NTPServers []string `json:"ntpServers,omitempty"`
	// Hostname learned from DHCP option 12.
	Hostname string `json:"hostname,omitempty"`
	// Online is set once a link has a global address (or every configured static address is there).
	Online bool     `json:"online"`
	Errors []string `json:"errors,omitempty"`
	// Warnings do not make the machine degraded.
	Warnings []string `json:"warnings,omitempty"`
}

// Link is one observed Ethernet link.
type Link struct {
	Name       string         `json:"name"`
	MACAddress string         `json:"macAddress"`
	Up         bool           `json:"up"`
	MTUBytes   int            `json:"mtuBytes"`
	Addresses  []netip.Prefix `json:"addresses,omitempty"`
}

// Clock tells whether the time can be trusted.
type Clock struct {
	Synchronised bool          `json:"synchronised"`
	Server       string        `json:"server,omitempty"`
	Offset       time.Duration `json:"offset,omitempty"`
	Error        string        `json:"error,omitempty"`
}

// Storage is /var.
type Storage struct {
	VarDevice    string `json:"varDevice,omitempty"` // such as "/dev/vda6"; empty: /var is a tmpfs
	VarSizeBytes int64  `json:"varSizeBytes"`
	// Events are decisions worth a line on the console: grown, recreated, kept read-only.
	Events []string `json:"events,omitempty"`
	Error  string   `json:"error,omitempty"`
}

// Runtime is containerd itself.
type Runtime struct {
	Running  bool   `json:"running"`
	PID      int    `json:"pid,omitempty"`
	Restarts int    `json:"restarts"`
	Error    string `json:"error,omitempty"`
}

// ContainerPhase says where a container stands. These words appear on the console.
type ContainerPhase string

// The phases.
const (
	ContainerWaiting  ContainerPhase = "waiting" // for the runtime, a volume, the network
	ContainerPulling  ContainerPhase = "pulling"
	ContainerStarting ContainerPhase = "starting"
	ContainerRunning  ContainerPhase = "running"
	ContainerBackoff  ContainerPhase = "backoff" // exited; will be started again at NextStart
	ContainerExited   ContainerPhase = "exited"  // exited, and its policy says it stays so
	ContainerFailed   ContainerPhase = "failed"  // cannot be started; tried again at NextStart
)

// Container is one container as observed.
type Container struct {
	Name     string         `json:"name"`
	Image    string         `json:"image"`
	Phase    ContainerPhase `json:"phase"`
	Ready    bool           `json:"ready"`
	PID      int            `json:"pid,omitempty"`
	Restarts int            `json:"restarts"`
	ExitCode int            `json:"exitCode"`
	// Reason in words, for the console: last error or exit.
	Reason    string    `json:"reason,omitempty"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	NextStart time.Time `json:"nextStart,omitzero"`
}
