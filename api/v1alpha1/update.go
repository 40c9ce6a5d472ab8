package v1alpha1

// API says who may call the machine's API.
type API struct {
	// Port is the TCP port of the API. Default: 7835.
	Port int `json:"port,omitempty" yaml:"port,omitempty"`
	// ClientCAs is a PEM bundle of the CAs whose certificates may call; the role stands in the certificate (O=stele:reader, stele:operator or
	// stele:admin). It holds no secret. Absent: the API does not listen.
	ClientCAs string `json:"clientCAs,omitempty" yaml:"clientCAs,omitempty"`
}

// Update says where new versions come from and what a new version must prove before it stays.
type Update struct {
	// Repository is where the machine looks for new versions. Absent: versions come only by push.
	Repository *UpdateRepository `json:"repository,omitempty" yaml:"repository,omitempty"`
	// ProbationSeconds is how long all gates must hold without a break before a new version commits itself. Default: 30.
	ProbationSeconds *int `json:"probationSeconds,omitempty" yaml:"probationSeconds,omitempty"`
	// DeadlineSeconds is how long after its start a new version may take to commit; then the machine goes back. Default: 300.
	DeadlineSeconds *int `json:"deadlineSeconds,omitempty" yaml:"deadlineSeconds,omitempty"`
	// RequireConfirmation makes every new version wait for an operator's or controller's word, too.
	RequireConfirmation *bool `json:"requireConfirmation,omitempty" yaml:"requireConfirmation,omitempty"`
	// Checks are further gates, merged by name.
	Checks []UpdateCheck `json:"checks,omitempty" yaml:"checks,omitempty"`
}

// UpdateRepository is a TUF repository on a web server. Its root of trust lies in the image and cannot be changed by a document.
type UpdateRepository struct {
	// URL of the directory that holds metadata/ and targets/, https or http: what comes from it is verified whatever the way.
	URL string `json:"url" yaml:"url"`
	// CA is a PEM bundle trusted for this URL beside the system's roots.
	CA string `json:"ca,omitempty" yaml:"ca,omitempty"`
	// MaxRate bounds the transfer, in bytes a second (Kubernetes quantity, such as "10Mi"). Default: no bound.
	MaxRate string `json:"maxRate,omitempty" yaml:"maxRate,omitempty" jsonschema:"oneof_type=string;number"`
	// CheckIntervalSeconds between looks for a new version, which is then only reported. 0: only when asked. Default: 0.
	CheckIntervalSeconds int `json:"checkIntervalSeconds,omitempty" yaml:"checkIntervalSeconds,omitempty"`
}

// UpdateCheck is one further gate. Exactly one of httpGet and exec is given.
type UpdateCheck struct {
	// Name is unique among the checks (RFC 1123 label).
	Name string `json:"name" yaml:"name"`
	// HTTPGet succeeds on a status from 200 to 399.
	HTTPGet *HTTPGetAction `json:"httpGet,omitempty" yaml:"httpGet,omitempty"`
	// Exec succeeds when the command, run inside the named container, exits 0.
	Exec *UpdateExec `json:"exec,omitempty" yaml:"exec,omitempty"`
	// PeriodSeconds between attempts. Default: 5.
	PeriodSeconds int `json:"periodSeconds,omitempty" yaml:"periodSeconds,omitempty"`
	// TimeoutSeconds of one attempt. Default: 5.
	TimeoutSeconds int `json:"timeoutSeconds,omitempty" yaml:"timeoutSeconds,omitempty"`
}

// UpdateExec is a command inside a container of the document.
type UpdateExec struct {
	// Container is the container's name.
	Container string `json:"container" yaml:"container"`
	// Command is the program with its arguments; there is no shell around it.
	Command []string `json:"command" yaml:"command"`
}
