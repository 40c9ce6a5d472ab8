package boot

import (
	"context"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/console"
)

// openConsole makes /dev/console standard input and output, and starts the writer. Standard error, to which Go writes its last words when
// a panic cannot be recovered, is the kernel's log where the kernel offers it as a terminal: that is written synchronously, and pstore
// keeps it, while what waits in a serial line's buffer is lost in the kernel panic that follows the end of PID 1.
func (a *agent) openConsole() {
	slog.SetDefault(a.log)
	a.terminal = os.Stdout
	if file, err := os.OpenFile("/dev/console", os.O_RDWR|unix.O_NOCTTY, 0); err == nil {
		for fd := range 3 {
			_ = unix.Dup3(int(file.Fd()), fd, 0)
		}
		a.terminal = file
	}
	if file, err := os.OpenFile("/dev/ttyprintk", os.O_WRONLY|unix.O_NOCTTY, 0); err == nil {
		_ = unix.Dup3(int(file.Fd()), 2, 0)
		file.Close()
	}
	go func() { _ = a.console.Run(context.Background(), a.terminal) }()
	watcher := console.NewWatcher(a.console, measureMemory)
	go func() { _ = watcher.Run(context.Background(), a.machine) }()
}

// flushConsole waits until everything printed has left the machine, at most limit: first our queue, then the terminal's (tcdrain(3)).
func (a *agent) flushConsole(limit time.Duration) {
	begun := time.Now()
	a.console.Flush(limit)
	if a.terminal == nil {
		return
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_ = unix.IoctlSetInt(int(a.terminal.Fd()), unix.TCSBRK, 1)
	}()
	select {
	case <-drained:
	case <-time.After(limit - time.Since(begun)):
	}
}
