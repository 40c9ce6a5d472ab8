package system

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// RaiseClock sets the clock to floor when it is before it, and tells whether it did. A machine without a battery starts in 1970,
// where every certificate is not yet valid; the image's build time is the latest moment that is known to be past.
func RaiseClock(floor time.Time) (bool, error) {
	if !time.Now().Before(floor) {
		return false, nil
	}
	at := unix.NsecToTimespec(floor.UnixNano())
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &at); err != nil {
		return false, fmt.Errorf("cannot set the clock to %q: %w", floor.UTC().Format(time.RFC3339), err)
	}
	return true, nil
}

// SinceKernelStart is CLOCK_BOOTTIME.
func SinceKernelStart() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
