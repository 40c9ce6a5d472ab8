package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// watchdogTimeout is how long the machine lives after the last feeding.
	watchdogTimeout = 30 * time.Second
	// feedEvery leaves two missed feedings before the end.
	feedEvery = watchdogTimeout / 3
	// staleAfter is the age of a heartbeat that means the main loop is stuck.
	staleAfter = 20 * time.Second
)

// Watchdog restarts the machine when the main loop stops. On a machine without one it does nothing.
type Watchdog struct {
	device *os.File
	// opened is where the heartbeat counts from, by the monotonic clock: setting the time must not look like a stall.
	opened time.Time
	beat   atomic.Int64
}

// watchdogDevice is one device as sysfs describes it.
type watchdogDevice struct{ name, identity string }

// OpenWatchdog opens, and by that arms, the machine's watchdog: hardware before the kernel's software one. Without any it returns
// an error and a Watchdog that does nothing.
func OpenWatchdog(root string) (*Watchdog, string, error) {
	w := &Watchdog{opened: time.Now()}
	w.Beat()
	chosen, ok := chooseWatchdog(listWatchdogs(root))
	if !ok {
		return w, "", errors.New("cannot open watchdog: the machine has none")
	}
	path := filepath.Join(root, "dev", chosen.name)
	device, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return w, "", fmt.Errorf("cannot open watchdog: %w", err)
	}
	w.device = device
	// A driver that takes no timeout keeps its own; feeding at least every 10 s suits every driver in our kernels.
	_ = unix.IoctlSetPointerInt(int(device.Fd()), unix.WDIOC_SETTIMEOUT, int(watchdogTimeout/time.Second))
	return w, chosen.identity, nil
}

func listWatchdogs(root string) []watchdogDevice {
	paths, _ := filepath.Glob(filepath.Join(root, "dev", "watchdog[0-9]*"))
	var devices []watchdogDevice
	for _, path := range paths {
		name := filepath.Base(path)
		identity, _ := os.ReadFile(filepath.Join(root, "sys/class/watchdog", name, "identity"))
		devices = append(devices, watchdogDevice{name, strings.TrimSpace(string(identity))})
	}
	return devices
}

// chooseWatchdog prefers hardware to the software watchdog (identity "Software Watchdog", drivers/watchdog/softdog.c), then the lowest name.
func chooseWatchdog(devices []watchdogDevice) (watchdogDevice, bool) {
	soft := func(d watchdogDevice) int {
		if d.identity == "Software Watchdog" {
			return 1
		}
		return 0
	}
	if len(devices) == 0 {
		return watchdogDevice{}, false
	}
	return slices.MinFunc(devices, func(a, b watchdogDevice) int {
		if c := soft(a) - soft(b); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	}), true
}

// Beat says that the main loop lives, or that the machine is still on its way there. Only the main goroutine calls it.
func (w *Watchdog) Beat() { w.beat.Store(int64(time.Since(w.opened))) }

// Run feeds the device while the heartbeat is fresh, until ctx is done. It never closes the device: on the way down the watchdog stays the last net.
func (w *Watchdog) Run(ctx context.Context) error {
	if w.device == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		if fresh(time.Since(w.opened), time.Duration(w.beat.Load())) {
			w.Feed()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Feed gives the machine another watchdogTimeout.
func (w *Watchdog) Feed() {
	if w.device != nil {
		_, _ = w.device.Write([]byte{0})
	}
}

// fresh tells whether a heartbeat is young enough.
func fresh(now, beat time.Duration) bool { return now-beat < staleAfter }
