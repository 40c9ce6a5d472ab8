package console

import (
	"fmt"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// changes are the lines to print between two snapshots, without times.
func changes(before, after snapshot, phaseBefore, phaseAfter string) []string {
	var lines []string
	if before.Storage == nil && after.Storage != nil {
		lines = append(lines, "storage: "+varPlace(*after.Storage)) // without its size, which is about to grow
	}
	if after.Storage != nil {
		lines = append(lines, added("storage: ", eventsOf(before.Storage), eventsOf(after.Storage))...)
		if reason := after.Storage.Error; reason != "" && (before.Storage == nil || before.Storage.Error != reason) {
			lines = append(lines, "error: storage: "+reason)
		}
	}
	lines = append(lines, added("error: network: ", before.Network.Errors, after.Network.Errors)...)
	lines = append(lines, added("warning: network: ", before.Network.Warnings, after.Network.Warnings)...)
	lines = append(lines, documentChanges(before.Document, after.Document)...)
	if after.Clock.Synchronised && !before.Clock.Synchronised {
		lines = append(lines, fmt.Sprintf("%s, offset %s", clockLine(after.Clock), after.Clock.Offset))
	}
	if reason := after.Runtime.Error; reason != "" && reason != before.Runtime.Error {
		lines = append(lines, "error: containerd: "+reason)
	}
	lines = append(lines, containerChanges(before.Containers, after.Containers)...)
	lines = append(lines, updateChanges(before, after)...)
	if phaseBefore != phaseAfter {
		lines = append(lines, "state: "+phaseAfter)
	}
	return lines
}

func containerChanges(before, after []state.Container) []string {
	var lines []string
	for _, c := range after {
		at := slices.IndexFunc(before, func(b state.Container) bool { return b.Name == c.Name })
		if at < 0 || before[at].Phase != c.Phase || before[at].Ready != c.Ready {
			lines = append(lines, "container "+containerLine(c))
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(c state.Container) bool { return b.Name == c.Name }) {
			lines = append(lines, "container "+b.Name+": removed")
		}
	}
	return lines
}

// added are the entries of after that before lacks, each behind prefix.
func added(prefix string, before, after []string) []string {
	var lines []string
	for _, entry := range after {
		if !slices.Contains(before, entry) {
			lines = append(lines, prefix+entry)
		}
	}
	return lines
}

func eventsOf(s *state.Storage) []string {
	if s == nil {
		return nil
	}
	return s.Events
}

// documentChanges are new errors and warnings, and a trial that has begun.
func documentChanges(before, after *state.Document) []string {
	if after == nil {
		return nil
	}
	if before == nil {
		before = &state.Document{}
	}
	lines := append(added("error: document: ", before.Errors, after.Errors), added("warning: document: ", before.Warnings, after.Warnings)...)
	if at := after.RevertAt; !at.IsZero() && !at.Equal(before.RevertAt) {
		lines = append(lines, "document: on trial, taken back at "+at.UTC().Format(time.RFC3339)+" unless it is confirmed")
	}
	return lines
}
