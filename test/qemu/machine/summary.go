package machine

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/vm"
)

var accelerationWords = map[string]string{"kvm": "accelerated by KVM", "tcg": "software emulation (TCG)"}

// Summary is what a person wants to know when the machine serves.
type Summary struct {
	Machine  *vm.VM
	Report   Report
	URL      string
	Answered time.Duration
	// API are lines that say how to call the machine; none where it takes no calls.
	API []string
}

func (s Summary) String() string {
	var b strings.Builder
	row := func(key, format string, values ...any) {
		fmt.Fprintf(&b, "%-13s "+format+"\n", append([]any{key}, values...)...)
	}
	b.WriteString("\n")
	if s.URL != "" {
		row("url", "%s", s.URL)
	}
	row("machine", "%s (%s), %s", s.Report.Machine, s.Report.Version, accelerationWords[s.Machine.Accel])
	for _, failed := range s.Report.Failed {
		row("failed", "%s", failed)
	}
	if s.Answered > 0 {
		row("boot", "%.1f s from power-on to the answer", s.Answered.Seconds())
	}
	for _, line := range StageLines(s.Report.Timing) {
		row("", "%s", line)
	}
	if used := s.Report.Memory["used"]; used > 0 {
		row("memory", "%d of %d MiB used", used, s.Report.Memory["total"])
	}
	for i, line := range s.API {
		row(map[bool]string{true: "api"}[i == 0], "%s", line)
	}
	row("disk", "%s", s.Machine.DiskPath(0))
	row("console log", "%s", s.Machine.ConsoleLog())
	return b.String()
}

// StageLines are one line a stage: how long it took, and when it was over on the kernel's clock.
func StageLines(timing map[string]time.Duration) []string {
	var lines []string
	var before time.Duration
	for _, stage := range Stages {
		at, known := timing[stage]
		switch {
		case !known:
		case stage == "firmware" || stage == "loader":
			lines = append(lines, fmt.Sprintf("%-10s %6.2f s", stage, at.Seconds()))
		default:
			lines = append(lines, fmt.Sprintf("%-10s %6.2f s   at %6.2f s", stage, max(at-before, 0).Seconds(), at.Seconds()))
			before = max(at, before)
		}
	}
	return lines
}

// progress prints the lines that tell how far a boot is, with the time since power-on.
func progress(out io.Writer, started time.Time) func(vm.Line) {
	inReport := false
	return func(line vm.Line) {
		at := strings.Index(line.Text, prefix)
		if at < 0 {
			return
		}
		text := line.Text[at:]
		switch {
		case strings.HasPrefix(text, reportHead):
			inReport = true
		case strings.HasPrefix(text, reportTail):
			inReport = false
		case timed.MatchString(text):
			fmt.Fprintf(out, "%6.1f s  %s\n", line.At.Sub(started).Seconds(), timed.ReplaceAllString(text, ""))
		case !inReport:
			fmt.Fprintf(out, "%6.1f s  %s\n", line.At.Sub(started).Seconds(), strings.TrimPrefix(text, prefix))
		}
	}
}
