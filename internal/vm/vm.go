package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// VM is a machine that was powered on.
type VM struct {
	// Dir holds console.log, qemu.log and the machine's disks.
	Dir string
	// Command is how to start the same machine by hand.
	Command string
	// Accel is "kvm" or "tcg".
	Accel string
	// Started is the moment of power-on.
	Started time.Time
	// Console is the serial console.
	Console *Console
	// QMP is the control channel.
	QMP *Client

	cmd          *exec.Cmd
	sockets      string
	ports        map[int]int
	stopWatching func() bool
	done         chan struct{}
	exit         error
}

// reap owns the process: it waits for its end. Nobody else calls cmd.Wait.
func (vm *VM) reap() {
	vm.exit = vm.cmd.Wait()
	close(vm.done)
}

func (vm *VM) kill() { _ = vm.cmd.Process.Kill() }

// PID of QEMU.
func (vm *VM) PID() int { return vm.cmd.Process.Pid }

// ConsoleLog is the file with everything the console said.
func (vm *VM) ConsoleLog() string { return filepath.Join(vm.Dir, "console.log") }

// DiskPath is the file of the machine's n-th disk that was given with Copy.
func (vm *VM) DiskPath(n int) string { return filepath.Join(vm.Dir, fmt.Sprintf("disk%d.raw", n)) }

// VariablesPath is the flash image with the firmware's variables.
func (vm *VM) VariablesPath() string { return filepath.Join(vm.Dir, variablesName) }

// WriteLogPath is the log of the writes to the machine's n-th disk, which was given with LogWrites.
func (vm *VM) WriteLogPath(n int) string { return filepath.Join(vm.Dir, logName(n)) }

// Address is "127.0.0.1:port" where a forwarded guest port is reached.
func (vm *VM) Address(guestPort int) string { return fmt.Sprintf("127.0.0.1:%d", vm.ports[guestPort]) }

// Done is closed when QEMU has ended.
func (vm *VM) Done() <-chan struct{} { return vm.done }

// Expect waits for a console line, past ones included.
func (vm *VM) Expect(ctx context.Context, pattern string) (Match, error) {
	return vm.ExpectFrom(ctx, 0, pattern)
}

// ExpectFrom waits for a console line from an index on: Match.Index+1 for what comes after a match, Console.Next for what comes from now on.
func (vm *VM) ExpectFrom(ctx context.Context, first int, pattern string) (Match, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return Match{}, fmt.Errorf("cannot compile %q: %w", pattern, err)
	}
	return vm.Console.Expect(ctx, first, re)
}

// Powerdown presses the power button: the guest is asked to shut down (ACPI). It does not wait.
func (vm *VM) Powerdown(ctx context.Context) error {
	return vm.QMP.Execute(ctx, "system_powerdown", nil, nil)
}

// Reset presses the reset button. With Options.Reboot unset, that ends the machine.
func (vm *VM) Reset(ctx context.Context) error { return vm.QMP.Execute(ctx, "system_reset", nil, nil) }

// Cut cuts the power: QEMU is killed where it stands. What the guest flushed to its disks is in the files.
func (vm *VM) Cut() {
	vm.kill()
	<-vm.done
	vm.Close()
}

// Wait waits until the machine has ended by itself; an error when QEMU failed or ctx is over.
func (vm *VM) Wait(ctx context.Context) error {
	select {
	case <-vm.done:
		if vm.exit != nil {
			return errors.Join(fmt.Errorf("QEMU failed: %w", vm.exit), vm.stderr())
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot see the machine end: %w", context.Cause(ctx))
	}
}

// Shutdown powers the machine down in order, and cuts it when ctx is over.
func (vm *VM) Shutdown(ctx context.Context) error {
	err := vm.Powerdown(ctx)
	if err == nil {
		err = vm.Wait(ctx)
	}
	vm.Cut()
	return err
}

// Close ends the machine if it still runs, and removes its sockets. Dir stays.
func (vm *VM) Close() {
	if vm.stopWatching != nil {
		vm.stopWatching()
	}
	vm.kill()
	<-vm.done
	os.RemoveAll(vm.sockets)
	os.Remove(filepath.Join(vm.Dir, qmpLink))
}

// stderr is what QEMU itself complained about, as an error, or nil.
func (vm *VM) stderr() error {
	text, err := os.ReadFile(filepath.Join(vm.Dir, "qemu.log"))
	if text = bytes.TrimSpace(text); err != nil || len(text) == 0 {
		return nil
	}
	return fmt.Errorf("QEMU says: %s", text)
}
