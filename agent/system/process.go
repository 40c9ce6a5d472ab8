package system

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Process is a child started by Reaper.Start.
type Process struct {
	pid      int
	reaper   *Reaper
	done     chan struct{}
	exitCode int
}

// PID is the process's id; it may belong to another process once Done is closed.
func (p *Process) PID() int { return p.pid }

// Done is closed when the process has ended and was collected.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is the exit status, or 128 plus the signal that ended the process. It is -1 before Done is closed.
func (p *Process) ExitCode() int {
	select {
	case <-p.done:
		return p.exitCode
	default:
		return -1
	}
}

// Signal sends sig, or returns os.ErrProcessDone when the process was already collected.
func (p *Process) Signal(sig os.Signal) error {
	number, ok := sig.(unix.Signal)
	if !ok {
		return fmt.Errorf("cannot signal process %d: %v is no signal of this system", p.pid, sig)
	}
	p.reaper.mu.Lock()
	defer p.reaper.mu.Unlock()
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
	}
	if err := unix.Kill(p.pid, number); err != nil {
		return fmt.Errorf("cannot signal process %d: %w", p.pid, err)
	}
	return nil
}
