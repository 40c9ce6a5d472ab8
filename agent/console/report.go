package console

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/agent/state"
)

// Memory of the machine at the moment of the report, in bytes.
type Memory struct {
	UsedBytes, TotalBytes, AgentBytes, ContainerdBytes int64
}

const (
	reportHead = "---- boot report ----"
	reportTail = "---- end ----"
)

// report is the block that people read first. It never holds a document's values.
func report(s snapshot, phase string, m moments, mem Memory) []string {
	lines := []string{reportHead}
	lines = append(lines, identityLines(s, phase)...)
	lines = append(lines, networkLines(s)...)
	lines = append(lines, clockLine(s.Clock))
	if s.Storage != nil {
		lines = append(lines, storageLine(*s.Storage))
	}
	for _, c := range s.Containers {
		lines = append(lines, fmt.Sprintf("container %s (%s, restarts: %d)", containerLine(c), c.Image, c.Restarts))
	}
	lines = append(lines, updateLines(s)...)
	for _, f := range failures(s) {
		lines = append(lines, fmt.Sprintf("failed: %s: %s", f.object, f.reason))
	}
	return append(lines, timingLine(s.Boot, m), memoryLine(mem), reportTail)
}

func identityLines(s snapshot, phase string) []string {
	slot := orDash(s.Boot.Slot)
	lines := []string{
		fmt.Sprintf("version: %s %s slot=%s root=%s", orDash(s.Facts.Image.Name), orDash(s.Facts.Image.Version), slot, orDash(s.Boot.RootHash)),
		"machine: " + phase,
	}
	if s.Boot.SecureBoot.State != "" {
		lines = append(lines, "secure boot: "+s.Boot.SecureBoot.String())
	}
	if s.Desired != nil {
		lines = append(lines, "hostname: "+orDash(state.Hostname(*s.Desired, s.Network)))
	}
	platform := "platform: " + orDash(s.Facts.Platform)
	if s.Document != nil && s.Document.Source != "" {
		platform += " (" + s.Document.Source + ")"
	}
	return append(lines, platform)
}

func networkLines(s snapshot) []string {
	var lines []string
	for _, l := range s.Network.Links {
		word := "down"
		if l.Up {
			word = "up"
		}
		line := fmt.Sprintf("network: %s %s %s", l.Name, l.MACAddress, word)
		for _, a := range l.Addresses {
			line += " " + a.String()
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		lines = append(lines, "network: no Ethernet link")
	}
	for _, warning := range s.Network.Warnings {
		lines = append(lines, "network: warning: "+warning)
	}
	return lines
}

func clockLine(c state.Clock) string {
	switch {
	case c.Synchronised:
		return "clock: synchronised with " + orDash(c.Server)
	case c.Error != "":
		return "clock: not synchronised: " + c.Error
	}
	return "clock: not synchronised"
}

func storageLine(s state.Storage) string {
	if s.VarDevice == "" {
		return "storage: " + varPlace(s)
	}
	return fmt.Sprintf("storage: %s, %d MiB", varPlace(s), s.VarSizeBytes>>20)
}

func varPlace(s state.Storage) string {
	if s.VarDevice == "" {
		return "/var in memory, lost at the next boot"
	}
	return "/var on " + s.VarDevice
}

// containerLine is "<name>: <phase>[ ready][: reason]".
func containerLine(c state.Container) string {
	line := c.Name + ": " + string(c.Phase)
	if c.Ready {
		line += " ready"
	}
	if c.Reason != "" {
		line += ": " + strings.ReplaceAll(c.Reason, "\n", " ")
	}
	return line
}

func memoryLine(m Memory) string {
	return fmt.Sprintf("memory: used=%d total=%d agent=%d containerd=%d",
		m.UsedBytes>>20, m.TotalBytes>>20, m.AgentBytes>>20, m.ContainerdBytes>>20)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
