package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// Reaper starts children and collects every process that ends, its own and those that the kernel gave to PID 1.
//
// Starting and reaping exclude each other, so that a child which ends at once is known before it is collected, and a pid is
// never signalled after it was collected (it could be another process by then).
type Reaper struct {
	mu       sync.Mutex
	children map[int]*Process
}

// NewReaper returns a Reaper; Run must be running for children to be noticed when they end.
func NewReaper() *Reaper {
	return &Reaper{children: map[int]*Process{}}
}

// Start starts cmd. Do not call cmd.Wait, and do not build cmd with a context: both wait for the process behind the Reaper's back.
// Give files as standard input, output and error: pipes that package exec makes for other readers and writers end with the process,
// but nobody waits for the last bytes.
func (r *Reaper) Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.Cancel != nil {
		return nil, fmt.Errorf("cannot start %q: the command has a context; use exec.Command", cmd.Path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %q: %w", cmd.Path, err)
	}
	p := &Process{pid: cmd.Process.Pid, reaper: r, done: make(chan struct{})}
	r.children[p.pid] = p
	if err := cmd.Process.Release(); err != nil {
		return p, fmt.Errorf("cannot release the handle of process %d: %w", p.pid, err)
	}
	return p, nil
}

// Run collects ended processes until ctx is done.
func (r *Reaper) Run(ctx context.Context) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	defer signal.Stop(ended)
	for {
		for r.reapOne() {
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
		}
	}
}

// reapOne collects one ended process and tells whether there may be more.
func (r *Reaper) reapOne() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var status unix.WaitStatus
	pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
	if errors.Is(err, unix.EINTR) {
		return true
	}
	if err != nil || pid <= 0 {
		return false
	}
	if p := r.children[pid]; p != nil {
		delete(r.children, pid)
		p.exitCode = exitCode(status)
		close(p.done)
	}
	return true
}

// exitCode is the status as shells and OCI runtimes count it: 128 plus the signal for a killed process.
func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
