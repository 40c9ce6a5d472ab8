package story

import (
	"strings"

	"github.com/stele-os/stele/agent/state"
)

const (
	// kernelPanic begins the kernel's own line (kernel/panic.c, vpanic).
	kernelPanic = "Kernel panic - not syncing: "
	// softdog's panic where it may (drivers/watchdog/softdog.c, softdog_fire).
	softdog = "Software Watchdog Timer expired"
	// initKilled is the panic at the end of PID 1 (kernel/exit.c, do_exit).
	initKilled = "Attempted to kill init!"
	byWatchdog = "the watchdog restarted the machine"
)

// crashOutcome reads the kernel's last words.
func crashOutcome(text string) (state.Outcome, string) {
	cause := lineAfter(text, kernelPanic)
	switch {
	case strings.HasPrefix(cause, softdog):
		return state.OutcomeHung, byWatchdog
	case strings.HasPrefix(cause, initKilled):
		if last := agentsLastWords(text); last != "" {
			return state.OutcomePanicked, "the agent crashed: " + last
		}
		return state.OutcomePanicked, "the agent ended: " + cause
	case cause == "":
		return state.OutcomePanicked, "the kernel panicked"
	}
	return state.OutcomePanicked, "the kernel panicked: " + cause
}

// agentsLastWords is the line with which the Go runtime ends a process (runtime/panic.go), as ttyprintk puts it into the kernel's log ("[U] ...").
func agentsLastWords(text string) string {
	for _, word := range []string{"] panic: ", "] fatal error: "} {
		if line := lineAfter(text, word); line != "" {
			return line
		}
	}
	return ""
}

// lineAfter is what follows word in the first line that holds it.
func lineAfter(text, word string) string {
	_, rest, _ := strings.Cut(text, word)
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
