package plan

import "time"

// Container is one container, complete but for what only its image knows (entrypoint, environment, user), which the runtime merges in.
type Container struct {
	Name string `json:"name" yaml:"name"`
	// Baked is set when Image names an image inside the root; Image is then its bare name.
	Baked bool   `json:"baked" yaml:"baked"`
	Image string `json:"image" yaml:"image"` // canonical reference, such as "docker.io/library/nginx:1.27"
	// PullPolicy is Always, IfNotPresent or Never.
	PullPolicy string   `json:"pullPolicy" yaml:"pullPolicy"`
	Command    []string `json:"command,omitempty" yaml:"command,omitempty"`
	Args       []string `json:"args,omitempty" yaml:"args,omitempty"`
	WorkingDir string   `json:"workingDir,omitempty" yaml:"workingDir,omitempty"`
	Env        []string `json:"env,omitempty" yaml:"env,omitempty"` // NAME=value
	Ports      []Port   `json:"ports,omitempty" yaml:"ports,omitempty"`
	// RestartPolicy is Always, OnFailure or Never.
	RestartPolicy string `json:"restartPolicy" yaml:"restartPolicy"`
	// Required: its readiness is a gate of every new version.
	Required  bool     `json:"required,omitempty" yaml:"required,omitempty"`
	Limits    Limits   `json:"limits" yaml:"limits"`
	Liveness  *Probe   `json:"liveness,omitempty" yaml:"liveness,omitempty"`
	Readiness *Probe   `json:"readiness,omitempty" yaml:"readiness,omitempty"`
	Mounts    []Mount  `json:"mounts,omitempty" yaml:"mounts,omitempty"`
	Security  Security `json:"security" yaml:"security"`
	HostPID   bool     `json:"hostPID,omitempty" yaml:"hostPID,omitempty"`
	// GracePeriod between SIGTERM and SIGKILL.
	GracePeriod time.Duration `json:"gracePeriod" yaml:"gracePeriod"`
	Logs        Logs          `json:"logs" yaml:"logs"`
}

// Port the container listens on. Protocol is TCP or UDP.
type Port struct {
	Name     string `json:"name,omitempty" yaml:"name,omitempty"`
	Number   int    `json:"number" yaml:"number"`
	Protocol string `json:"protocol" yaml:"protocol"`
}

// Limits of cgroup v2; 0 means none.
type Limits struct {
	// CPUMillis: 1000 is one core (cpu.max).
	CPUMillis int64 `json:"cpuMillis,omitempty" yaml:"cpuMillis,omitempty"`
	// MemoryBytes (memory.max).
	MemoryBytes int64 `json:"memoryBytes,omitempty" yaml:"memoryBytes,omitempty"`
	// PIDs (pids.max).
	PIDs int64 `json:"pids" yaml:"pids"`
}

// Probe asks a container how it is. Exactly one of HTTP, TCP and Exec is set.
type Probe struct {
	HTTP             string        `json:"http,omitempty" yaml:"http,omitempty"` // URL
	TCP              string        `json:"tcp,omitempty" yaml:"tcp,omitempty"`   // host:port
	Exec             []string      `json:"exec,omitempty" yaml:"exec,omitempty"`
	InitialDelay     time.Duration `json:"initialDelay,omitempty" yaml:"initialDelay,omitempty"`
	Period           time.Duration `json:"period" yaml:"period"`
	Timeout          time.Duration `json:"timeout" yaml:"timeout"`
	SuccessThreshold int           `json:"successThreshold" yaml:"successThreshold"`
	FailureThreshold int           `json:"failureThreshold" yaml:"failureThreshold"`
}

// Mount puts a volume into the container.
type Mount struct {
	Volume   string `json:"volume" yaml:"volume"`
	Path     string `json:"path" yaml:"path"`
	ReadOnly bool   `json:"readOnly,omitempty" yaml:"readOnly,omitempty"`
}

// Security of a container. User and Group are nil where the image decides.
type Security struct {
	User            *int64   `json:"user,omitempty" yaml:"user,omitempty"`
	Group           *int64   `json:"group,omitempty" yaml:"group,omitempty"`
	ReadOnlyRoot    bool     `json:"readOnlyRoot,omitempty" yaml:"readOnlyRoot,omitempty"`
	Privileged      bool     `json:"privileged,omitempty" yaml:"privileged,omitempty"`
	NoNewPrivileges bool     `json:"noNewPrivileges" yaml:"noNewPrivileges"`
	AddCapabilities []string `json:"addCapabilities,omitempty" yaml:"addCapabilities,omitempty"` // CAP_NET_ADMIN and the like; CAP_ALL stands for all of them
	DropCaps        []string `json:"dropCapabilities,omitempty" yaml:"dropCapabilities,omitempty"`
	IOUring         bool     `json:"ioUring,omitempty" yaml:"ioUring,omitempty"` // the document turned kernel.io_uring_disabled off
}

// Logs bound what is kept of a container's output.
type Logs struct {
	MaxSizeBytes int64 `json:"maxSizeBytes" yaml:"maxSizeBytes"`
	MaxFiles     int   `json:"maxFiles" yaml:"maxFiles"`
}
