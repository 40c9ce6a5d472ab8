package console

import (
	"fmt"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// moments are when, since kernel start, each stage was first reached; zero: not yet.
type moments struct {
	storage, document, network, containerd, containers time.Duration
}

// note records the stages that s has reached at now and that were not reached before.
func (m moments) note(s snapshot, now time.Duration) moments {
	first := func(t *time.Duration, reached bool) {
		if reached && *t == 0 {
			*t = now
		}
	}
	applied := s.Document != nil && (s.Document.Phase == state.DocumentApplied || s.Document.Phase == state.DocumentLastGood)
	first(&m.storage, s.Storage != nil)
	first(&m.document, applied)
	first(&m.network, s.Network.Online)
	first(&m.containerd, s.Runtime.Running)
	first(&m.containers, applied && s.Desired != nil && len(s.Desired.Containers) > 0 && containersSettled(s))
	return m
}

// timingLine is the report's line "timing: ...". firmware and loader are durations, the others moments since kernel start.
func timingLine(b state.Boot, m moments) string {
	return fmt.Sprintf("timing: firmware=%s loader=%s kernel=%s agent=%s storage=%s document=%s network=%s containerd=%s containers=%s",
		seconds(time.Duration(b.FirmwareUsec)*time.Microsecond), seconds(time.Duration(b.LoaderUsec)*time.Microsecond),
		seconds(b.Started), seconds(b.Ready), seconds(m.storage), seconds(m.document), seconds(m.network),
		seconds(m.containerd), seconds(m.containers))
}

// seconds prints a duration with three digits, and "-" for one that is not known.
func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", d.Seconds())
}
