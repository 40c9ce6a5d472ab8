package system

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Reboot ends the kernel's run: off switches the machine off, else it restarts. It returns only when the kernel refuses.
func Reboot(off bool) error {
	command := unix.LINUX_REBOOT_CMD_RESTART
	if off {
		command = unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	if err := unix.Reboot(command); err != nil {
		return fmt.Errorf("cannot reboot: %w", err)
	}
	return nil
}

// SignalOnCtrlAltDel makes the kernel send SIGINT to PID 1 for Ctrl-Alt-Del, instead of restarting at once.
func SignalOnCtrlAltDel() error {
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF); err != nil {
		return fmt.Errorf("cannot take over Ctrl-Alt-Del: %w", err)
	}
	return nil
}

// KillAll ends every process but PID 1: SIGTERM, grace, SIGKILL, and a last wait of the same length. It returns how many are left
// (in uninterruptible sleep; only the end of the kernel ends those).
func KillAll(ctx context.Context, proc string, grace time.Duration) int {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if len(userProcesses(proc)) == 0 {
			return 0
		}
		// To -1: all processes but PID 1 and the caller (kill(2)).
		_ = unix.Kill(-1, sig)
		waitUntilGone(ctx, proc, grace)
	}
	return len(userProcesses(proc))
}

func waitUntilGone(ctx context.Context, proc string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for len(userProcesses(proc)) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// userProcesses lists the processes below proc that have a program: kernel threads and zombies have no /proc/<pid>/exe to follow.
func userProcesses(proc string) []int {
	entries, _ := os.ReadDir(proc)
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if _, err := os.Readlink(filepath.Join(proc, e.Name(), "exe")); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
