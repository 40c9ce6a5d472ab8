package console

import (
	"context"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/state"
)

const (
	// networkPatience is how long the first report waits for an address after everything else is there.
	networkPatience = 3 * time.Second
	// reportGap is the time between the first two reports; it doubles up to reportGapMax.
	reportGap    = 10 * time.Second
	reportGapMax = 10 * time.Minute
)

// Watcher prints what changes in a machine's state, and the boot report.
type Watcher struct {
	console *Console
	memory  func(containerdPID int) Memory

	last      snapshot
	phase     string
	moments   moments
	settledAt time.Duration // since kernel start; zero: not yet

	printed  []string // outcome of the last report
	nextAt   time.Duration
	gap      time.Duration
	reported bool
}

// NewWatcher returns a Watcher that prints to c; memory measures the machine, with containerd's pid (0: not running).
func NewWatcher(c *Console, memory func(containerdPID int) Memory) *Watcher {
	return &Watcher{console: c, memory: memory, gap: reportGap}
}

// Run prints until ctx is done.
func (w *Watcher) Run(ctx context.Context, m *state.Machine) error {
	for {
		now, changed := observe(m)
		again := w.step(now, w.console.since())
		publishHealth(m, w.phase, failures(now))
		var timer <-chan time.Time
		if again > 0 {
			timer = time.After(again)
		}
		if !state.WaitAny(ctx.Done(), changed, timer) {
			return ctx.Err()
		}
	}
}

// step takes the next snapshot, at a time since kernel start, and returns when to be called again although nothing changed (0: never).
func (w *Watcher) step(s snapshot, now time.Duration) time.Duration {
	w.moments = w.moments.note(s, now)
	if w.settledAt == 0 && settled(s) {
		w.settledAt = now
	}
	next := phase(s, w.settledAt != 0)
	for _, line := range changes(w.last, s, w.phase, next) {
		w.console.Print(line)
	}
	w.last, w.phase = s, next
	if !settled(s) {
		return 0
	}
	return w.maybeReport(s, now)
}

// maybeReport prints the report where there is a new outcome and it is time for it; else it returns how long to wait, 0 for ever.
func (w *Watcher) maybeReport(s snapshot, now time.Duration) time.Duration {
	if !w.reported && !s.Network.Online {
		if rest := w.settledAt + networkPatience - now; rest > 0 {
			return rest
		}
	}
	result := outcome(s, w.phase)
	if slices.Equal(result, w.printed) {
		return 0
	}
	if rest := w.nextAt - now; w.reported && rest > 0 {
		return rest
	}
	w.console.PrintBlock(report(s, w.phase, w.moments, w.memory(s.Runtime.PID)))
	w.printed, w.reported = result, true
	w.nextAt, w.gap = now+w.gap, min(2*w.gap, reportGapMax)
	return 0
}

// outcome is what makes a report differ from the one before: the phase, whether the version is on probation, and each container's phase.
func outcome(s snapshot, phase string) []string {
	result := []string{phase}
	if s.Update != nil && len(s.Update.Slots) > 0 && !s.Update.Committed {
		result = append(result, "on probation")
	}
	if noGoodVersion(s) != "" {
		result = append(result, "no good version")
	}
	for _, c := range s.Containers {
		result = append(result, c.Name+" "+string(c.Phase))
	}
	for _, f := range failures(s) {
		result = append(result, f.object)
	}
	return result
}

// publishHealth tells others what the console says, where it differs from what they know.
func publishHealth(m *state.Machine, phase string, failed []failure) {
	next := state.Health{Phase: phase}
	for _, f := range failed {
		next.Failures = append(next.Failures, f.object+": "+f.reason)
	}
	if old, ok := m.Health.Get(); !ok || old.Phase != next.Phase || !slices.Equal(old.Failures, next.Failures) {
		m.Health.Set(next)
	}
}
