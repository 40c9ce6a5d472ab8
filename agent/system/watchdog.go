package system

import (
	"cmp"
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
//
// It is all of the machine's hardware watchdogs, of which many machines have two, such as the chip set's beside the management controller's: one that runs
// from power-on is fed by the kernel for two minutes only where nobody opens it (CONFIG_WATCHDOG_HANDLE_BOOT_ENABLED, _OPEN_TIMEOUT), and then restarts a
// machine that is well (TestHungAgentReboots of test/qemu sees to it that all are opened).
type Watchdog struct {
	devices []*os.File
	// opened is where the heartbeat counts from, by the monotonic clock: setting the time must not look like a stall.
	opened time.Time
	beat   atomic.Int64
}

// watchdogDevice is one device as sysfs describes it.
type watchdogDevice struct{ name, identity string }

// OpenWatchdog opens, and by that arms, the machine's watchdogs: those of hardware, or else the kernel's software one. Without any it returns
// an error and a Watchdog that does nothing; identity names those that are armed.
func OpenWatchdog(root string) (w *Watchdog, identity string, err error) {
	w = &Watchdog{opened: time.Now()}
	w.Beat()
	chosen := chooseWatchdogs(listWatchdogs(root))
	if len(chosen) == 0 {
		return w, "", errors.New("cannot open watchdog: the machine has none")
	}
	var identities []string
	for _, c := range chosen {
		device, openErr := os.OpenFile(filepath.Join(root, "dev", c.name), os.O_WRONLY, 0)
		if openErr != nil {
			err = errors.Join(err, fmt.Errorf("cannot open watchdog: %w", openErr))
			continue
		}
		// A driver that takes no timeout keeps its own; feeding at least every 10 s suits every driver in our kernels.
		_ = unix.IoctlSetPointerInt(int(device.Fd()), unix.WDIOC_SETTIMEOUT, int(watchdogTimeout/time.Second))
		w.devices, identities = append(w.devices, device), append(identities, cmp.Or(c.identity, c.name))
	}
	return w, strings.Join(identities, ", "), err
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

// softdog is the identity of the kernel's own (drivers/watchdog/softdog.c).
const softdog = "Software Watchdog"

// chooseWatchdogs takes all of hardware, or else the software one.
func chooseWatchdogs(devices []watchdogDevice) []watchdogDevice {
	hardware := slices.DeleteFunc(slices.Clone(devices), func(d watchdogDevice) bool { return d.identity == softdog })
	if len(hardware) == 0 {
		return devices
	}
	return hardware
}

// Beat says that the main loop lives, or that the machine is still on its way there. Only the main goroutine calls it.
func (w *Watchdog) Beat() { w.beat.Store(int64(time.Since(w.opened))) }

// Run feeds the devices while the heartbeat is fresh, until ctx is done. It never closes them: on the way down the watchdog stays the last net.
func (w *Watchdog) Run(ctx context.Context) error {
	if len(w.devices) == 0 {
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
	for _, device := range w.devices {
		_, _ = device.Write([]byte{0})
	}
}

// fresh tells whether a heartbeat is young enough.
func fresh(now, beat time.Duration) bool { return now-beat < staleAfter }
