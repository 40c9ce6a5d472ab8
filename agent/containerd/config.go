package containerd

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/stele-os/stele/api/v1alpha1"
)

// Namespace is containerd's namespace of everything the agent makes.
const Namespace = "stele"

// Config is where containerd keeps its things. There is nothing else to set, hence no configuration file.
type Config struct {
	// Root keeps images and metadata across reboots.
	Root string
	// State is for the running system only.
	State string
	// Shim is the runtime's binary. Containers name it by path, so that PATH does not matter.
	Shim string
	// Runc is the OCI runtime.
	Runc string
}

// DefaultConfig is the one of a running machine.
func DefaultConfig() Config {
	return Config{
		Root:  "/var/lib/containerd",
		State: "/run/containerd",
		Shim:  v1alpha1.ShimPath,
		Runc:  v1alpha1.RuncPath,
	}
}

// Address is the gRPC socket.
func (c Config) Address() string { return filepath.Join(c.State, "containerd.sock") }

// ttrpcAddress is the socket on which shims report events.
func (c Config) ttrpcAddress() string { return filepath.Join(c.State, "containerd.sock.ttrpc") }

const (
	rootVariable  = "STELE_CONTAINERD_ROOT"
	stateVariable = "STELE_CONTAINERD_STATE"
)

// daemonEnvironment keeps containerd small: with one container it measured 5.4 MB of anonymous memory in a guest of 1 GiB.
var daemonEnvironment = []string{"GOGC=50", "GOMEMLIMIT=48MiB"}

// Command is containerd as a child process of the agent: self is the agent's own binary, sockets those of Listen.
func (c Config) Command(self string, sockets *Sockets) *exec.Cmd {
	cmd := exec.Command(self)
	cmd.Args = []string{"containerd"}
	cmd.Env = append([]string{
		"PATH=/usr/bin",
		roleVariable + "=" + roleDaemon,
		rootVariable + "=" + c.Root,
		stateVariable + "=" + c.State,
	}, daemonEnvironment...)
	cmd.ExtraFiles = []*os.File{sockets.grpc, sockets.ttrpc}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func configFromEnvironment() Config {
	c := DefaultConfig()
	c.Root, c.State = os.Getenv(rootVariable), os.Getenv(stateVariable)
	return c
}
