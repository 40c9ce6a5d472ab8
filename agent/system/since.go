package system

import (
	"time"

	"golang.org/x/sys/unix"
)

// SinceKernelStart is CLOCK_BOOTTIME.
func SinceKernelStart() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
