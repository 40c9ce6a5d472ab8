package main

import "fmt"

// updateRows write what updates cost.
func updateRows(title func(string), row func(key, format string, values ...any), u Updates) {
	for _, s := range u.Staging {
		title(fmt.Sprintf("Staging: %s, median of %d, host load %s", s.Name, s.Runs, u.HostLoad))
		row("image", "%8.1f MiB", float64(s.Bytes)/mib)
		row("over the network", "%8.1f MiB", float64(s.SentBytes)/mib)
		row("staging", "%8.2f s   %.1f MiB/s", s.Seconds, float64(s.Bytes)/mib/max(s.Seconds, 0.001))
		for _, phase := range s.orderedPhases() {
			row("    "+phase, "%8.2f s", s.Phases[phase])
		}
		if s.CopySeconds > 0 {
			row("copying and hashing the same", "%8.2f s   ratio %.2f", s.CopySeconds, s.Ratio)
		}
		row("agent (PID 1) above idle", "%8.1f MiB resident, %.1f anonymous", kib(s.PeakAboveIdle), kib(s.AnonymousAboveIdle))
	}
	title("Update to service")
	row("apply to answer", "%8.1f s", u.Apply.Answer)
	row("apply to commit", "%8.1f s   3 s of it probation", u.Apply.Commit)
	if len(u.Faults) > 0 {
		title("Bad update to service, from the fault to the old version's answer")
	}
	for _, f := range u.Faults {
		row(f.Class, "%8.1f s", f.Seconds)
	}
	title("Idle guest with the API on")
	idleRows(row, u.Idle)
}
