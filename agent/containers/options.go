package containers

import (
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/stele-os/stele/agent/containerd"
	"github.com/stele-os/stele/api/v1alpha1"
)

// Process is a child process of the agent. PID 1 reaps, so the agent's reaper starts it and knows its end.
type Process interface {
	PID() int
	Signal(os.Signal) error
	Done() <-chan struct{}
	ExitCode() int
}

// Options are the manager's surroundings. Zero fields take the values of a running machine.
type Options struct {
	// Start starts a child process. Required.
	Start func(*exec.Cmd) (Process, error)
	// Logf writes one ordinary line to the console. Optional.
	Logf func(format string, args ...any)
	// Self is the agent's binary, started again as containerd.
	Self string
	// Containerd says where containerd keeps its things.
	Containerd containerd.Config
	// Images is the directory of baked images.
	Images string
	// StateDir keeps the upper directories of containers (on /var).
	StateDir string
	// RunDir keeps what belongs to this boot: FIFOs, copies of resolv.conf and hosts, which are taken from EtcDir.
	RunDir string
	EtcDir string
	// LogDir keeps the output of containers.
	LogDir string
	// CgroupParent is the cgroup below which each container gets its own.
	CgroupParent string
	// ShutdownTimeout bounds stopping all containers when the context of Run ends.
	ShutdownTimeout time.Duration
	// ImageRetention is how long a pulled image stays that no container uses any more.
	ImageRetention time.Duration
	// Control is how others reach the containers while Run runs. Optional.
	Control *Control
	// Clock for tests.
	Clock Clock

	engine engine // for tests
}

// Clock is the time, and a way to wait for it.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func (o Options) withDefaults() Options {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&o.Self, v1alpha1.AgentPath)
	set(&o.Images, v1alpha1.BakedImagesPath)
	set(&o.StateDir, "/var/lib/stele/containers")
	set(&o.RunDir, "/run/stele/containers")
	set(&o.EtcDir, "/run/stele")
	set(&o.LogDir, "/var/log/containers")
	set(&o.CgroupParent, "/stele/containers")
	if o.Containerd == (containerd.Config{}) {
		o.Containerd = containerd.DefaultConfig()
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = 30 * time.Second
	}
	if o.ImageRetention == 0 {
		o.ImageRetention = time.Hour
	}
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	if o.Control == nil {
		o.Control = NewControl()
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	return o
}

// sleep waits and tells whether the time passed (false: the context ended).
func sleep(ctx context.Context, clock Clock, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-clock.After(d):
		return true
	}
}
