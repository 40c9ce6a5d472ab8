package machine

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/vm"
)

var stamp = regexp.MustCompile(`stele: \[ *(\d+\.\d+)\] `)

// KernelStart estimates when the kernel started on the host's clock: the earliest that any of the agent's stamped lines allows, because a
// line can arrive late but never early. Zero where there is no such line.
func KernelStart(lines []vm.Line) time.Time {
	var earliest time.Time
	for _, line := range lines {
		m := stamp.FindStringSubmatch(line.Text)
		if m == nil {
			continue
		}
		seconds, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			continue
		}
		start := line.At.Add(-time.Duration(seconds * float64(time.Second)))
		if earliest.IsZero() || start.Before(earliest) {
			earliest = start
		}
	}
	return earliest
}

// loaderStarted is EDK2's line when it hands over to the boot loader.
const loaderStarted = "BdsDxe: starting Boot"

// AddHostStages fills in how long firmware and loader took, as the host saw it, where the machine does not know: systemd-boot tells the time only
// where it finds out how fast the processor counts, which it does not under emulation.
func AddHostStages(timing map[string]time.Duration, lines []vm.Line, powerOn time.Time) {
	kernel := KernelStart(lines)
	if kernel.IsZero() || timing["firmware"] > 0 {
		return
	}
	for _, line := range lines {
		if strings.HasPrefix(line.Text, loaderStarted) {
			timing["firmware"] = max(line.At.Sub(powerOn), 0)
			timing["loader"] = max(kernel.Sub(line.At), 0)
			return
		}
	}
}
