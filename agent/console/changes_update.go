package console

import (
	"fmt"
	"slices"

	"github.com/stele-os/stele/agent/state"
)

// progressStep is how much of a staging passes before the next line tells of it, in per cent.
const progressStep = 10

// updateChanges are the lines to print about versions, slots, gates and stagings.
func updateChanges(before, after snapshot) []string {
	var lines []string
	if len(before.Boots) == 0 && len(after.Boots) > 1 {
		lines = append(lines, bootLine(after.Boots[1]))
	}
	if line := apiLine(after.API); line != "" && line != apiLine(before.API) {
		lines = append(lines, line)
	}
	if reason := after.API.Error; reason != "" && reason != before.API.Error {
		lines = append(lines, "error: api: "+reason)
	}
	if after.Update == nil {
		return lines
	}
	was := state.Update{}
	if before.Update != nil {
		was = *before.Update
	}
	is := *after.Update
	if len(is.Slots) > 0 && (len(was.Slots) == 0 || was.Committed != is.Committed) {
		lines = append(lines, versionLine(after))
	}
	lines = append(lines, slotChanges(was.Slots, is.Slots)...)
	lines = append(lines, gateChanges(was.Gates, is.Gates)...)
	lines = append(lines, activityChanges(was, is)...)
	if line := noGoodVersion(after); line != "" && withoutDigits(line) != withoutDigits(noGoodVersion(before)) {
		lines = append(lines, "error: "+line)
	}
	return lines
}

// slotChanges tells of slots whose content or condition changes after they were first seen, and of those first seen that are not as they should be.
func slotChanges(before, after []state.Slot) []string {
	var lines []string
	for _, s := range after {
		at := slices.IndexFunc(before, func(b state.Slot) bool { return b.Name == s.Name })
		switch {
		case at < 0 && s.State != state.SlotRejected && s.State != state.SlotDamaged:
		case at < 0 || before[at].State != s.State || before[at].Version != s.Version:
			lines = append(lines, slotLine(s))
		}
	}
	return lines
}

// gateChanges leaves out a reason that differs in its numbers only: one that names a port would be a line each second.
func gateChanges(before, after []state.Gate) []string {
	var lines []string
	for _, g := range after {
		at := slices.IndexFunc(before, func(b state.Gate) bool { return b.Name == g.Name })
		if at < 0 || before[at].State != g.State || withoutDigits(before[at].Reason) != withoutDigits(g.Reason) {
			lines = append(lines, gateLine(g))
		}
	}
	return lines
}

// activityChanges leaves out that the machine looks for new versions, which it may do every minute, but not what it has found.
func activityChanges(before, after state.Update) []string {
	var lines []string
	if after.Available != "" && after.Available != before.Available {
		lines = append(lines, "update: "+after.Available+" is available")
	}
	if after.Error != "" && after.Error != before.Error {
		lines = append(lines, "error: update: "+after.Error)
	}
	was, is := quiet(before.Activity), quiet(after.Activity)
	switch {
	case is == state.ActivityStaging:
		if line := progressLine(after.Progress); was != is || line != progressLine(before.Progress) {
			lines = append(lines, line)
		}
	case was != is:
		lines = append(lines, "update: "+string(is))
	}
	return lines
}

func quiet(a state.Activity) state.Activity {
	if a == state.ActivityChecking || a == "" {
		return state.ActivityIdle
	}
	return a
}

// progressLine changes with the phase and at every progressStep.
func progressLine(p state.Progress) string {
	line := "update: staging " + orDash(p.Version)
	if p.Phase != "" {
		line += ": " + p.Phase
	}
	if p.Total > 0 {
		line += fmt.Sprintf(" %d %% of %d MiB", 100*p.Done/p.Total/progressStep*progressStep, p.Total>>20)
	}
	return line
}
