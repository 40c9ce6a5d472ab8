package containers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/containerd"
	"github.com/stele-os/stele/agent/state"
)

const (
	daemonBackoffFirst = 100 * time.Millisecond
	daemonBackoffMost  = 10 * time.Second
	daemonStopTimeout  = 3 * time.Second
)

// supervise keeps containerd running until the context ends, then ends it. A first crash is repaired at once, further ones with growing delay.
func supervise(ctx context.Context, m *state.Machine, o Options, sockets *containerd.Sockets, ready func(context.Context) error) {
	var delay time.Duration
	for restarts := 0; ; restarts++ {
		began := o.Clock.Now()
		err := runDaemon(ctx, m, o, sockets, restarts, ready)
		if ctx.Err() != nil {
			m.Runtime.Set(state.Runtime{Restarts: restarts})
			return
		}
		if o.Clock.Now().Sub(began) > time.Minute {
			delay = 0
		}
		o.Logf("containerd ended, starting it again: %v", err)
		m.Runtime.Set(state.Runtime{Restarts: restarts + 1, Error: err.Error()})
		if !sleep(ctx, o.Clock, delay) {
			return
		}
		delay = min(max(2*delay, daemonBackoffFirst), daemonBackoffMost)
	}
}

// runDaemon runs containerd once and returns why it ended.
func runDaemon(ctx context.Context, m *state.Machine, o Options, sockets *containerd.Sockets, restarts int, ready func(context.Context) error) error {
	cmd := o.Containerd.Command(o.Self, sockets)
	output, input, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot make a pipe for containerd's messages: %w", err)
	}
	cmd.Stdout, cmd.Stderr = input, input
	process, err := o.Start(cmd)
	input.Close()
	if err != nil {
		output.Close()
		return fmt.Errorf("cannot start containerd: %w", err)
	}
	read := make(chan struct{})
	go func() { defer close(read); relay(output, o.Logf) }()
	// A shim that is just starting may hold the pipe for longer than containerd lives.
	defer func() { output.Close(); <-read }()

	m.Runtime.Set(state.Runtime{PID: process.PID(), Restarts: restarts})
	answering, stop := context.WithCancel(ctx)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if ready(answering) == nil {
			m.Runtime.Set(state.Runtime{Running: true, PID: process.PID(), Restarts: restarts})
		}
	}()
	defer func() { stop(); <-asked }()
	select {
	case <-process.Done():
		return ended(o, process.ExitCode())
	case <-ctx.Done():
	}
	_ = process.Signal(unix.SIGTERM)
	select {
	case <-process.Done():
	case <-time.After(daemonStopTimeout):
		_ = process.Signal(unix.SIGKILL)
		<-process.Done()
	}
	return ctx.Err()
}

// ended tells why containerd ended, and takes away what would end it again.
func ended(o Options, code int) error {
	if code != containerd.ExitCorrupt {
		return fmt.Errorf("exit code %d", code)
	}
	if err := o.Containerd.DiscardDatabase(); err != nil {
		return err
	}
	return errors.New("its database was corrupt and was discarded")
}

// relay writes each line of r to the console; a line without end is cut.
func relay(r io.Reader, logf func(string, ...any)) {
	s := bufio.NewReaderSize(r, 4096)
	for {
		line, err := s.ReadSlice('\n')
		for n := len(line); n > 0 && line[n-1] == '\n'; n-- {
			line = line[:n-1]
		}
		if len(line) > 0 {
			logf("containerd: %s", line)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
