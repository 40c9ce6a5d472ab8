package show

import (
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// LogLine puts the entries of one machine's log into lines of a terminal.
type LogLine struct {
	// Node begins each line, unless it is empty.
	Node string
	// Timestamps says whether each line has its time.
	Timestamps bool
}

// Add returns what is to be printed of the next entry. Where lines begin with something, each entry has a line of its own, because those of
// other machines may come in between; without, the parts of a long line are put together again.
func (l *LogLine) Add(e *nodev1.LogEntry) string {
	prefix := ""
	if l.Node != "" {
		prefix = l.Node + "  "
	}
	if l.Timestamps {
		prefix += e.GetTime().AsTime().UTC().Format(Clock) + "  "
	}
	if prefix == "" && e.GetPartial() {
		return Clean(e.GetLine())
	}
	return prefix + Clean(e.GetLine()) + "\n"
}
