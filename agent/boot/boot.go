// Package boot is PID 1's life: up, the main loop, down. It owns the order of things and the goroutines, and does nothing itself.
//
//	Run ── up ──┬─ mounts, console, watchdog, image, clock      one after the other: a few milliseconds
//	            ├─ control groups, kernel parameters, /var,     all at once, with the managers already running
//	            │  late mounts and what the boot loader told
//	            └─ managers under the supervisor                network, clock, configuration, containers
//	    ── loop ── heartbeat, signals, power button
//	    ── down ── managers, processes, file systems, reboot(2)
//
// Invariants:
//   - PID 1 never exits. A panic that is recovered ends in a restart of its manager, or, in the main loop, of the machine; one that cannot
//     be recovered ends the process, which the kernel answers with a panic, and that, by kernel.panic, with a reboot.
//   - The way down has an end: every step has a deadline, one deadline is over all of them, and the watchdog is over that.
//   - Managers meet in the state only (state.Machine); the supervisor knows their names and nothing else.
//
// A separate supervisor process below PID 1 was considered, so that a crash of the agent would not be the kernel's: it would need a
// second protocol for adopting children, and its own crash would still end the machine.
package boot

import (
	"log/slog"
	"os"
	"time"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/console"
	"github.com/stele-os/stele/agent/containers"
	"github.com/stele-os/stele/agent/server/events"
	"github.com/stele-os/stele/agent/server/logs"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/storage"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/agent/update"
	"github.com/stele-os/stele/api/v1alpha1"
)

// agent is PID 1.
type agent struct {
	started time.Duration // since kernel start
	console *console.Console
	// terminal is what console writes to; nil before it is open.
	terminal *os.File
	log      *slog.Logger
	machine  *state.Machine
	reaper   *system.Reaper

	watchdog    *system.Watchdog
	image       v1alpha1.ImageInfo
	commandLine system.CommandLine

	signals chan os.Signal
	// requests for going down; the first one counts.
	requests chan state.Shutdown
	// loaderRead is closed when what the boot loader told is known (or is known to be missing).
	loaderRead chan struct{}
	// hardened is closed when the built-in kernel parameters are set: no document's comes before them, and no program runs without them.
	hardened chan struct{}
	loader   system.Loader
	// diskFound is closed when disk is known.
	diskFound chan struct{}
	disk      storage.Found

	// diskSettled is closed when nothing of boot writes to the boot disk any more: /var has grown.
	diskSettled chan struct{}

	configuration *config.Manager
	control       *containers.Control
	updates       *update.Manager
	// failing are managers that failed lately: a gate of new versions.
	failing  failures
	agentLog *logs.Agent
	events   *events.Hub

	managers, workloads group
}

// Run is the life of PID 1. It never returns.
func Run() {
	a := newAgent()
	defer a.lastWords()
	tuneMemory()
	hear(a.signals)
	a.dropCapabilities()                              //  1. what nobody here needs; all that follows inherits it
	a.mountEarly()                                    //  2. /dev, /proc, /sys, /run, /tmp, cgroup2
	a.survivePanics()                                 //  3. a kernel panic, the end of PID 1 included, restarts the machine
	a.openConsole()                                   //  4. from here on there is someone to tell
	a.openWatchdog()                                  //  5. from here on a hang restarts the machine
	a.readImage()                                     //  6. image, kernel command line, processors, memory; the clock is not before the build time
	a.startManagers()                                 //  7. they wait for what they need in the state
	go a.inParallel(step{"late mounts", a.mountLate}) //  8. efivarfs and others; publishes what the boot loader told
	a.patiently(upLimit, func() {
		took := a.inParallel(
			step{"var", a.mountVar},            //  9. publishes Storage
			step{"groups", a.delegateCgroups},  // 10. containers get groups beside the agent's
			step{"parameters", a.hardenKernel}, // 11. sysctls
		)
		a.announceReady(took) // 12.
	})
	go a.afterBoot() // 13. grow /var, credit the random seed
	a.loop()         // 14. until the machine goes down
}
