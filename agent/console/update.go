package console

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/stele-os/stele/agent/state"
)

// bootsShown is how many boots before the present one the report tells of.
const bootsShown = 3

// updateLines are the report's lines about versions, slots, gates that do not hold, the API and boots.
func updateLines(s snapshot) []string {
	var lines []string
	if u := s.Update; u != nil && len(u.Slots) > 0 {
		lines = append(lines, "update: "+versionCondition(*u, s.Now))
		for _, slot := range u.Slots {
			slot.Reason = rejection(*u, slot)
			lines = append(lines, slotLine(slot))
		}
		for _, g := range u.Gates {
			if g.State != gateHeld {
				lines = append(lines, gateLine(g))
			}
		}
	}
	if line := noGoodVersion(s); line != "" {
		lines = append(lines, line)
	}
	if line := apiLine(s.API); line != "" {
		lines = append(lines, line)
	}
	for _, b := range s.Boots[:min(len(s.Boots), 1+bootsShown)] {
		lines = append(lines, bootLine(b))
	}
	return lines
}

// gateHeld is gates.Held; the console knows no manager.
const gateHeld = "held"

// versionLine is "version: demo 1.1.0 in slot b, on probation (1 try left, 240 s left)".
func versionLine(s snapshot) string {
	running := runningSlot(*s.Update)
	return fmt.Sprintf("version: %s %s in slot %s, %s", orDash(s.Facts.Image.Name), orDash(running.Version), orDash(running.Name),
		versionCondition(*s.Update, s.Now))
}

func versionCondition(u state.Update, now time.Time) string {
	if u.Committed {
		return "committed"
	}
	left := fmt.Sprintf("%d tries left", runningSlot(u).Left)
	if runningSlot(u).Left == 1 {
		left = "1 try left"
	}
	if !u.Deadline.IsZero() {
		left += fmt.Sprintf(", %.0f s left", max(0, u.Deadline.Sub(now).Seconds()))
	}
	return "on probation (" + left + ")"
}

func runningSlot(u state.Update) state.Slot {
	for _, s := range u.Slots {
		if s.Running {
			return s
		}
	}
	return state.Slot{}
}

// slotLine is "slot b: 1.1.0 rejected: <reason>".
func slotLine(s state.Slot) string {
	line := "slot " + s.Name + ": "
	if s.Version != "" {
		line += s.Version + " "
	}
	line += string(s.State)
	if s.Running {
		line += ", running"
	}
	if s.Left+s.Done > 0 {
		line += fmt.Sprintf(" (tries left: %d, done: %d)", s.Left, s.Done)
	}
	if s.Reason != "" {
		line += ": " + s.Reason
	}
	return line
}

// gateLine is "gate <name>: <state>[: reason]".
func gateLine(g state.Gate) string {
	line := "gate " + g.Name + ": " + g.State
	if g.Reason != "" {
		line += ": " + g.Reason
	}
	return line
}

// apiLine says where the API is and how to know it; "" where it is not.
func apiLine(a state.API) string {
	if a.Port == 0 {
		return ""
	}
	return fmt.Sprintf("api: port %d, fingerprint %s", a.Port, orDash(a.Fingerprint))
}

// bootLine is "boot: 1.1.0 in slot b rejected after 42 s: container web is not ready (asked by CN=alice)".
func bootLine(b state.BootStory) string {
	line := fmt.Sprintf("boot: %s in slot %s %s", orDash(b.Version), orDash(b.Slot), b.Outcome)
	if took := b.Ended.Sub(b.Started); !b.Started.IsZero() && !b.Ended.IsZero() && took >= 0 && b.Outcome != state.OutcomeNoAgent {
		line += fmt.Sprintf(" after %.0f s", took.Seconds())
	}
	reason := b.Reason
	if b.Outcome == state.OutcomeRunning {
		reason = b.Why
	}
	if reason != "" {
		line += ": " + reason
	}
	if b.AskedBy != "" {
		line += " (asked by " + b.AskedBy + ")"
	}
	return line
}

// noGoodVersion says that the running version is not well and that there is no other to go back to; "" where that is not so.
func noGoodVersion(s snapshot) string {
	if s.Update == nil || s.Shutdown != nil {
		return ""
	}
	running, trouble := runningSlot(*s.Update), trouble(s)
	if running.Name == "" || trouble == "" {
		return ""
	}
	var others []string
	for _, slot := range s.Update.Slots {
		switch {
		case slot.Running:
		case slot.State == state.SlotRejected:
			others = append(others, fmt.Sprintf("%s was rejected%s", orDash(slot.Version), inBrackets(rejection(*s.Update, slot))))
		case slot.State == state.SlotDamaged:
			others = append(others, fmt.Sprintf("slot %s is damaged%s", slot.Name, inBrackets(slot.Reason)))
		default:
			return "" // one that can be started, or a slot that never held any
		}
	}
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("no good version is left: %s, %s is not healthy (%s); trying on", strings.Join(others, ", "), orDash(running.Version), trouble)
}

// trouble is the first thing that is wrong with a machine: a failure, or a gate that does not hold although nothing is going to change by itself.
func trouble(s snapshot) string {
	if list := failures(s); len(list) > 0 {
		return list[0].object + ": " + list[0].reason
	}
	for _, g := range s.Update.Gates {
		if !s.Update.Committed && g.State != gateHeld && settled(s) {
			return g.Reason
		}
	}
	return ""
}

// rejection is why the version of a slot was rejected, by the newest word on it; else what the slot itself says.
func rejection(u state.Update, slot state.Slot) string {
	for _, r := range slices.Backward(u.Rejected) {
		if slot.State == state.SlotRejected && r.Version == slot.Version && r.RootHash == slot.RootHash {
			return r.Reason
		}
	}
	return slot.Reason
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// withoutDigits is what of a reason stays the same when it counts or names a port.
func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}
