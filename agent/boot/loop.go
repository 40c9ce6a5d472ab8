package boot

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/state"
)

// heard are the signals the main loop takes. Those without a meaning are taken too: Go's own answer to them is to exit.
// They are not ignored (SIG_IGN), because containers would inherit that.
var heard = []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE, unix.SIGALRM,
	unix.SIGPWR, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGVTALRM, unix.SIGIO}

// hear begins to take signals. It comes first: until then Go's answer to most of them is to exit, and that is a kernel panic.
func hear(signals chan<- os.Signal) { signal.Notify(signals, heard...) }

// upLimit is how long the steps before the main loop may take: the journal of a large /var on a slow disk needs minutes, and a watchdog that
// interrupted that would do so at every boot.
const upLimit = 10 * time.Minute

// patiently beats the heart while f runs, at most limit, and returns when f does.
func (a *agent) patiently(limit time.Duration, f func()) {
	ended := make(chan struct{})
	go func() { defer close(ended); f() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	over := time.After(limit)
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			a.watchdog.Beat()
		case <-over:
			tick.Stop() // from here on the watchdog decides
		}
	}
}

// loop beats the heart, and answers signals and requests, until the machine goes down. It never blocks on anything else.
func (a *agent) loop() {
	tick := time.NewTicker(time.Second)
	var deadline <-chan time.Time
	for {
		select {
		case <-tick.C:
			a.watchdog.Beat()
		case s := <-a.signals:
			if request, ok := meaning(s); ok {
				a.request(request.PowerOff, request.Reason)
			}
		case request := <-a.requests:
			if deadline == nil {
				limit := a.downLimit()
				deadline = time.After(limit)
				go a.down(request, limit)
			}
		case <-deadline:
			a.console.Print("error: the way down took too long; leaving at once")
			// Nothing beats the heart any more: when reboot(2) hangs, the watchdog ends it.
			a.leave()
		}
	}
}

// meaning translates a signal into a wish to go down: Ctrl-Alt-Del (SIGINT) restarts; SIGTERM and SIGPWR switch off.
func meaning(s os.Signal) (state.Shutdown, bool) {
	switch s {
	case unix.SIGINT:
		return state.Shutdown{Reason: "Ctrl-Alt-Del"}, true
	case unix.SIGTERM, unix.SIGPWR:
		return state.Shutdown{PowerOff: true, Reason: fmt.Sprintf("signal %q", s)}, true
	}
	return state.Shutdown{}, false
}

// request asks the main loop to take the machine down. It never blocks.
func (a *agent) request(off bool, reason string) {
	select {
	case a.requests <- state.Shutdown{PowerOff: off, Reason: reason}:
	default:
	}
}

// lastWords records a panic of the main goroutine on the console and ends PID 1: that is a kernel panic, whose text is kept for the boot's story
// (pstore), and then a restart.
func (a *agent) lastWords() {
	r := recover()
	a.console.Print(fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
	a.flushConsole(2 * time.Second)
	unix.Sync()
	panic(r)
}
