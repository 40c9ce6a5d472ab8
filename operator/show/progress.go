package show

import (
	"fmt"
	"io"
	"sync"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// outLock keeps lines of several machines apart.
var outLock sync.Mutex

// Progress prints what one machine's staging does: a line at each new phase and at each tenth of it, none twice.
type Progress struct {
	Out  io.Writer
	Node string

	last string
}

// Show prints a step of the staging where it is worth a line.
func (p *Progress) Show(s *nodev1.Progress) {
	if s.GetPhase() == "" {
		return
	}
	p.Say(progressText(s))
}

func progressText(s *nodev1.Progress) string {
	switch {
	case s.GetPhase() == "done":
		return fmt.Sprintf("%.1f MiB over the network, %.1f MiB were there already", mib(s.GetFetchedBytes()), mib(s.GetReusedBytes()))
	case s.GetTotalBytes() > 0:
		tenth := s.GetDoneBytes() * 10 / s.GetTotalBytes()
		return fmt.Sprintf("%s %s, %d %% of %.1f MiB", s.GetPhase(), s.GetVersion(), tenth*10, mib(s.GetTotalBytes()))
	}
	return s.GetPhase()
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// Say prints a line unless it was the last one.
func (p *Progress) Say(text string) {
	if text == p.last {
		return
	}
	p.last = text
	outLock.Lock()
	defer outLock.Unlock()
	fmt.Fprintf(p.Out, "%s: %s\n", p.Node, Clean(text))
}
