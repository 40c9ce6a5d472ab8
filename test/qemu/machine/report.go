package machine

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Stages of a boot in their order. Firmware and loader are durations; the others are moments since the kernel started.
var Stages = []string{"firmware", "loader", "kernel", "agent", "storage", "document", "network", "containerd", "containers"}

// Report is the agent's boot report (agent/console writes it).
type Report struct {
	// Version, Slot and RootHash of the image.
	Version, Slot, RootHash string
	// Machine is the machine's state in one word.
	Machine string
	// Platform names where the document came from.
	Platform string
	// Containers by name: phase, readiness and reason.
	Containers map[string]string
	// Failed are "<object>: <reason>".
	Failed []string
	// Timing by stage; a stage that did not happen is absent.
	Timing map[string]time.Duration
	// Memory in MiB by word: used, total, agent, containerd.
	Memory map[string]int
	// Lines are the whole block.
	Lines []string
}

const (
	prefix     = "stele: "
	reportHead = prefix + "---- boot report ----"
	reportTail = prefix + "---- end ----"
)

// ParseReports reads every complete boot report among a console's lines. Lines of the kernel in between are passed over.
func ParseReports(lines []string) []Report {
	var reports []Report
	var block []string
	open := false
	for _, line := range lines {
		at := strings.Index(line, prefix)
		if at < 0 {
			continue
		}
		switch line = strings.TrimSpace(line[at:]); {
		case line == reportHead:
			block, open = nil, true
		case line == reportTail && open:
			reports = append(reports, parseReport(block))
			open = false
		case open && !timed.MatchString(line):
			block = append(block, strings.TrimPrefix(line, prefix))
		}
	}
	return reports
}

// timed is an ordinary line, which may come between two lines of the report.
var timed = regexp.MustCompile(`^stele: \[ *\d+\.\d+\] `)

func parseReport(block []string) Report {
	r := Report{Containers: map[string]string{}, Timing: map[string]time.Duration{}, Memory: map[string]int{}, Lines: block}
	for _, line := range block {
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case key == "version":
			words, fields := fields(value)
			r.Version, r.Slot, r.RootHash = strings.Join(words, " "), fields["slot"], fields["root"]
		case key == "machine":
			r.Machine = value
		case key == "platform":
			r.Platform = value
		case key == "failed":
			r.Failed = append(r.Failed, value)
		case key == "timing":
			r.Timing = ParseTiming(value)
		case key == "memory":
			_, fields := fields(value)
			for word, text := range fields {
				if mib, err := strconv.Atoi(text); err == nil {
					r.Memory[word] = mib
				}
			}
		case strings.HasPrefix(key, "container "):
			r.Containers[strings.TrimPrefix(key, "container ")] = value
		}
	}
	return r
}

// runs tells whether any container runs.
func (r Report) runs() bool {
	for _, state := range r.Containers {
		if strings.HasPrefix(state, "running") {
			return true
		}
	}
	return false
}

// ParseTiming reads "stage=seconds ..." ; "-" marks what did not happen.
func ParseTiming(value string) map[string]time.Duration {
	timing := map[string]time.Duration{}
	_, fields := fields(value)
	for stage, text := range fields {
		if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
			timing[stage] = time.Duration(seconds * float64(time.Second))
		}
	}
	return timing
}

// fields splits into bare words and key=value pairs.
func fields(s string) (words []string, pairs map[string]string) {
	pairs = map[string]string{}
	for _, word := range strings.Fields(s) {
		if key, value, found := strings.Cut(word, "="); found {
			pairs[key] = value
		} else {
			words = append(words, word)
		}
	}
	return words, pairs
}
