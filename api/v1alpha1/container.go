package v1alpha1

// Container is one OCI container that runs on the machine, in the machine's network.
type Container struct {
	// Name is unique on the machine (RFC 1123 label).
	Name string `json:"name" yaml:"name"`
	// Image is an OCI reference (by tag or digest), or the name of an image baked into the root.
	Image string `json:"image" yaml:"image"`
	// ImagePullPolicy is Always, IfNotPresent or Never. Default: Always for the tag "latest", else IfNotPresent. Baked images are never pulled.
	ImagePullPolicy string `json:"imagePullPolicy,omitempty" yaml:"imagePullPolicy,omitempty" jsonschema:"enum=Always,enum=IfNotPresent,enum=Never"`
	// Command replaces the image's entrypoint.
	Command []string `json:"command,omitempty" yaml:"command,omitempty"`
	// Args replace the image's cmd.
	Args []string `json:"args,omitempty" yaml:"args,omitempty"`
	// WorkingDir replaces the image's working directory.
	WorkingDir string `json:"workingDir,omitempty" yaml:"workingDir,omitempty"`
	// Env is added to the image's environment.
	Env []EnvVar `json:"env,omitempty" yaml:"env,omitempty"`
	// Ports are the ports the container listens on: with the host network they are information, and must not collide.
	Ports []ContainerPort `json:"ports,omitempty" yaml:"ports,omitempty"`
	// RestartPolicy is Always, OnFailure or Never. Default: Always. Restarts back off from 1 s, doubling, to 5 min; 10 min of running resets it.
	RestartPolicy string `json:"restartPolicy,omitempty" yaml:"restartPolicy,omitempty" jsonschema:"enum=Always,enum=OnFailure,enum=Never"`
	// Required makes the container's readiness a gate of every new version. Default: true where restartPolicy is Always, else false.
	Required *bool `json:"required,omitempty" yaml:"required,omitempty"`
	// Resources bound what the container may use.
	Resources Resources `json:"resources,omitzero" yaml:"resources,omitempty"`
	// LivenessProbe restarts the container when it fails.
	LivenessProbe *Probe `json:"livenessProbe,omitempty" yaml:"livenessProbe,omitempty"`
	// ReadinessProbe tells whether the container serves; without one it is ready as soon as it runs.
	ReadinessProbe *Probe `json:"readinessProbe,omitempty" yaml:"readinessProbe,omitempty"`
	// VolumeMounts put volumes into the container.
	VolumeMounts []VolumeMount `json:"volumeMounts,omitempty" yaml:"volumeMounts,omitempty"`
	// SecurityContext sets user, capabilities and the like.
	SecurityContext SecurityContext `json:"securityContext,omitzero" yaml:"securityContext,omitempty"`
	// HostPID shares the machine's process namespace (for node exporters and the like).
	HostPID bool `json:"hostPID,omitempty" yaml:"hostPID,omitempty"`
	// TerminationGracePeriodSeconds is the time between SIGTERM and SIGKILL. Default: 10.
	TerminationGracePeriodSeconds *int `json:"terminationGracePeriodSeconds,omitempty" yaml:"terminationGracePeriodSeconds,omitempty"`
	// Logs bound what is kept of standard output and error.
	Logs LogOptions `json:"logs,omitzero" yaml:"logs,omitempty"`
}

// EnvVar is one environment variable.
type EnvVar struct {
	// Name of the variable.
	Name string `json:"name" yaml:"name"`
	// Value of the variable, taken literally.
	Value string `json:"value,omitempty" yaml:"value,omitempty"`
}

// ContainerPort is one port the container listens on.
type ContainerPort struct {
	// Name of the port, such as "http".
	Name string `json:"name,omitempty" yaml:"name,omitempty"`
	// ContainerPort is the port number, 1 to 65535.
	ContainerPort int `json:"containerPort" yaml:"containerPort"`
	// Protocol is TCP or UDP. Default: TCP.
	Protocol string `json:"protocol,omitempty" yaml:"protocol,omitempty" jsonschema:"enum=TCP,enum=UDP"`
}

// Resources bound what a container may use.
type Resources struct {
	// Limits are hard bounds.
	Limits ResourceLimits `json:"limits,omitzero" yaml:"limits,omitempty"`
}

// ResourceLimits are hard bounds, as Kubernetes quantities.
type ResourceLimits struct {
	// CPU in cores ("2", "0.5") or millicores ("500m").
	CPU string `json:"cpu,omitempty" yaml:"cpu,omitempty" jsonschema:"oneof_type=string;number"`
	// Memory in bytes, with suffix ("64Mi", "1G").
	Memory string `json:"memory,omitempty" yaml:"memory,omitempty" jsonschema:"oneof_type=string;number"`
	// PIDs is the largest number of tasks. Default: 4096.
	PIDs *int `json:"pids,omitempty" yaml:"pids,omitempty"`
}

// Probe asks a container how it is. Exactly one of httpGet, tcpSocket and exec is given.
type Probe struct {
	// HTTPGet succeeds on a status from 200 to 399.
	HTTPGet *HTTPGetAction `json:"httpGet,omitempty" yaml:"httpGet,omitempty"`
	// TCPSocket succeeds when the connection opens.
	TCPSocket *TCPSocketAction `json:"tcpSocket,omitempty" yaml:"tcpSocket,omitempty"`
	// Exec succeeds when the command, run inside the container, exits 0.
	Exec *ExecAction `json:"exec,omitempty" yaml:"exec,omitempty"`
	// InitialDelaySeconds before the first attempt. Default: 0.
	InitialDelaySeconds int `json:"initialDelaySeconds,omitempty" yaml:"initialDelaySeconds,omitempty"`
	// PeriodSeconds between attempts. Default: 10.
	PeriodSeconds int `json:"periodSeconds,omitempty" yaml:"periodSeconds,omitempty"`
	// TimeoutSeconds of one attempt. Default: 1.
	TimeoutSeconds int `json:"timeoutSeconds,omitempty" yaml:"timeoutSeconds,omitempty"`
	// SuccessThreshold is how many successes in a row make it healthy. Default: 1.
	SuccessThreshold int `json:"successThreshold,omitempty" yaml:"successThreshold,omitempty"`
	// FailureThreshold is how many failures in a row make it unhealthy. Default: 3.
	FailureThreshold int `json:"failureThreshold,omitempty" yaml:"failureThreshold,omitempty"`
}

// HTTPGetAction is an HTTP request to the machine.
type HTTPGetAction struct {
	// Path of the request. Default: "/".
	Path string `json:"path,omitempty" yaml:"path,omitempty"`
	// Port number.
	Port int `json:"port" yaml:"port"`
	// Host to ask. Default: 127.0.0.1.
	Host string `json:"host,omitempty" yaml:"host,omitempty"`
	// Scheme is HTTP or HTTPS (the certificate is not judged, as in Kubernetes). Default: HTTP.
	Scheme string `json:"scheme,omitempty" yaml:"scheme,omitempty" jsonschema:"enum=HTTP,enum=HTTPS"`
}

// TCPSocketAction opens a TCP connection.
type TCPSocketAction struct {
	// Port number.
	Port int `json:"port" yaml:"port"`
	// Host to ask. Default: 127.0.0.1.
	Host string `json:"host,omitempty" yaml:"host,omitempty"`
}

// ExecAction runs a command inside the container.
type ExecAction struct {
	// Command and its arguments; no shell is involved.
	Command []string `json:"command" yaml:"command"`
}

// VolumeMount puts a volume into the container.
type VolumeMount struct {
	// Name of the volume.
	Name string `json:"name" yaml:"name"`
	// MountPath is the absolute path inside the container.
	MountPath string `json:"mountPath" yaml:"mountPath"`
	// ReadOnly mounts it read-only.
	ReadOnly bool `json:"readOnly,omitempty" yaml:"readOnly,omitempty"`
}

// SecurityContext sets user, capabilities and the like.
type SecurityContext struct {
	// RunAsUser replaces the image's user id.
	RunAsUser *int64 `json:"runAsUser,omitempty" yaml:"runAsUser,omitempty"`
	// RunAsGroup replaces the image's group id.
	RunAsGroup *int64 `json:"runAsGroup,omitempty" yaml:"runAsGroup,omitempty"`
	// ReadOnlyRootFilesystem mounts the container's root read-only.
	ReadOnlyRootFilesystem bool `json:"readOnlyRootFilesystem,omitempty" yaml:"readOnlyRootFilesystem,omitempty"`
	// Privileged gives every device and every capability but SYS_BOOT, SYS_MODULE, SYS_RAWIO and others that no container can have (docs/confinement.md), and takes
	// seccomp profile and masked paths away. Default: false.
	Privileged bool `json:"privileged,omitempty" yaml:"privileged,omitempty"`
	// AllowPrivilegeEscalation turns no_new_privs off. Default: false.
	AllowPrivilegeEscalation bool `json:"allowPrivilegeEscalation,omitempty" yaml:"allowPrivilegeEscalation,omitempty"`
	// Capabilities are added to and dropped from the default set: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID and
	// SYS_CHROOT. Docker's has AUDIT_WRITE, MKNOD and NET_RAW, too.
	Capabilities Capabilities `json:"capabilities,omitzero" yaml:"capabilities,omitempty"`
}

// Capabilities are Linux capabilities without the CAP_ prefix; "ALL" stands for all of them.
type Capabilities struct {
	// Add to the default set.
	Add []string `json:"add,omitempty" yaml:"add,omitempty"`
	// Drop from the default set.
	Drop []string `json:"drop,omitempty" yaml:"drop,omitempty"`
}

// LogOptions bound what is kept of a container's output under /var/log/containers.
type LogOptions struct {
	// MaxSize of one file (Kubernetes quantity). Default: 10Mi.
	MaxSize string `json:"maxSize,omitempty" yaml:"maxSize,omitempty" jsonschema:"oneof_type=string;number"`
	// MaxFiles kept, the current one included. Default: 3.
	MaxFiles int `json:"maxFiles,omitempty" yaml:"maxFiles,omitempty"`
}
