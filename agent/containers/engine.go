package containers

import (
	"context"
	"errors"
	"syscall"

	"github.com/stele-os/stele/agent/plan"
)

// specification is all that a container is made from. Its hash (diff.go) tells whether a running container is still the wanted one.
type specification struct {
	Container plan.Container
	// Volumes that the container mounts, in the order of its mounts.
	Volumes []plan.Volume
	// Registries are not part of the container, only of the pull.
	Registries []plan.Registry `json:"-"`
}

// Exit is how a container ended.
type exit struct {
	Code int
	// OOM is set when the kernel killed a process of the container for lack of memory.
	OOM bool
}

// errGone: there is no such container or task any more.
var errGone = errors.New("container is gone")

// engine does what workers ask for. Every method may be called again after an error, and waits while the runtime is away.
type engine interface {
	// Adopt returns the running task of a container that was made from s, or errGone.
	Adopt(ctx context.Context, s specification, hash string) (task, error)
	// Pull makes the container's image available.
	Pull(ctx context.Context, s specification) error
	// Start makes the container anew and starts it. What is left of an older one is removed first.
	Start(ctx context.Context, s specification, hash string) (task, error)
	// Remove kills what still runs under this name and removes what is left of it.
	Remove(ctx context.Context, name string) error
	// List names all containers that exist.
	List(ctx context.Context) ([]string, error)
	// CollectImages removes pulled images that are not among the wanted ones.
	CollectImages(ctx context.Context, wanted []string) error
}

// task is one running container.
type task interface {
	PID() int
	// Wait returns when the container has ended, however often the runtime goes away meanwhile.
	Wait(ctx context.Context) (exit, error)
	Kill(ctx context.Context, signal syscall.Signal) error
	// Exec runs a command inside the container and returns its exit code.
	Exec(ctx context.Context, command []string) (int, error)
	// Output is Exec that also returns the beginning of what the command wrote.
	Output(ctx context.Context, command []string) (int, []byte, error)
}
