package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/vm"
)

// stopTimeout is how long a machine may take to shut down in order.
const stopTimeout = 30 * time.Second

// Stop shuts down the machine that an earlier run left running.
func Stop(ctx context.Context, o RunOptions, out io.Writer) error {
	stopped, err := stopEarlier(ctx, o, out)
	if err == nil && !stopped {
		fmt.Fprintf(out, "no machine runs in %s\n", o.dir())
	}
	return err
}

// stopEarlier does so, and tells whether there was one.
func stopEarlier(ctx context.Context, o RunOptions, out io.Writer) (stopped bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	pid, err := vm.StopRunning(ctx, o.dir())
	if errors.Is(err, vm.ErrAttended) {
		err = hint.New(err, "press Ctrl-C where it was started")
	}
	if err == nil && pid != 0 {
		fmt.Fprintf(out, "stopped the machine of an earlier run, process %d\n", pid)
	}
	return pid != 0, err
}

// forget removes what an earlier run left, so that the next one starts from the image.
func forget(dir string) error {
	for _, name := range []string{"disk0.raw", "firmware-vars.fd", "console.log"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cannot remove what an earlier run left: %w", err)
		}
	}
	return nil
}

// stay waits for Ctrl-C, then shuts the machine down.
func stay(ctx context.Context, m *vm.VM, out io.Writer) error {
	select {
	case <-m.Done():
		m.Close()
		fmt.Fprintln(out, "the machine has stopped")
		return nil
	case <-ctx.Done():
	}
	fmt.Fprintln(out, "shutting the machine down")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := m.Shutdown(stopping); err != nil {
		return fmt.Errorf("the machine did not shut down in order and was cut off: %w", err)
	}
	return nil
}
