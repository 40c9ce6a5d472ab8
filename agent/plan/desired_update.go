package plan

import "time"

// API is what the API server applies. The zero value: it does not listen.
type API struct {
	Port int `json:"port,omitempty" yaml:"port,omitempty"`
	// ClientCAs is a PEM bundle.
	ClientCAs string `json:"clientCAs,omitempty" yaml:"clientCAs,omitempty"`
}

// Update is what the update manager applies.
type Update struct {
	// Repository's URL ends in a slash; empty: none.
	Repository string `json:"repository,omitempty" yaml:"repository,omitempty"`
	// CA is a PEM bundle for it, beside the system's roots.
	CA string `json:"ca,omitempty" yaml:"ca,omitempty"`
	// MaxRateBytes a second; 0: no bound.
	MaxRateBytes  int64         `json:"maxRateBytes,omitempty" yaml:"maxRateBytes,omitempty"`
	CheckInterval time.Duration `json:"checkInterval,omitempty" yaml:"checkInterval,omitempty"`
	Probation     time.Duration `json:"probation" yaml:"probation"`
	Deadline      time.Duration `json:"deadline" yaml:"deadline"`
	// RequireConfirmation: a new version waits for a word, too.
	RequireConfirmation bool    `json:"requireConfirmation,omitempty" yaml:"requireConfirmation,omitempty"`
	Checks              []Check `json:"checks,omitempty" yaml:"checks,omitempty"`
}

// Check is one further gate of a new version: HTTP, or Exec in Container.
type Check struct {
	Name      string        `json:"name" yaml:"name"`
	HTTP      string        `json:"http,omitempty" yaml:"http,omitempty"` // URL
	Container string        `json:"container,omitempty" yaml:"container,omitempty"`
	Exec      []string      `json:"exec,omitempty" yaml:"exec,omitempty"`
	Period    time.Duration `json:"period" yaml:"period"`
	Timeout   time.Duration `json:"timeout" yaml:"timeout"`
}
