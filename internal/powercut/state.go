package powercut

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/block"
)

// State is one disk that a power cut may leave.
type State struct {
	// Number counts the states from 1; Options.Only finds it again.
	Number int
	// Disk belongs to the visitor: it may be written to.
	Disk *block.Memory
	// Window counts the flush windows from 1.
	Window int

	first  int
	writes []Op
	choice choice
}

// Torn tells whether a sector is half old, half new.
func (s State) Torn() bool {
	for _, p := range s.choice {
		if p.tear != nil {
			return true
		}
	}
	return false
}

// String says in words what of the last window reached the disk.
func (s State) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "window %d (operations %d to %d", s.Window, s.first, s.first+len(s.writes)-1)
	if step := s.writes[len(s.writes)-1].Step; step != "" {
		fmt.Fprintf(&b, ", %s", step)
	}
	b.WriteString("): ")
	if len(s.choice) == 0 {
		b.WriteString("none of its writes")
	}
	lines := make([]string, 0, len(s.choice))
	for _, p := range s.choice {
		lines = append(lines, s.describe(p))
	}
	if n := len(lines); n > maxDescribed && n == s.wholeParts() {
		lines = append(lines[:maxDescribed], fmt.Sprintf("and %d more whole ones of %d", n-maxDescribed, len(s.writes)))
	}
	b.WriteString(strings.Join(lines, "; "))
	return b.String()
}

// maxDescribed whole writes are listed one by one.
const maxDescribed = 12

func (s State) wholeParts() (n int) {
	for _, p := range s.choice {
		if p.sectors == nil && p.tear == nil {
			n++
		}
	}
	return n
}

func (s State) describe(p part) string {
	op := s.writes[p.write]
	text := fmt.Sprintf("write %d (%d bytes at %d)", s.first+p.write, len(op.Data), op.Offset)
	if p.sectors == nil && p.tear == nil {
		return text
	}
	text += fmt.Sprintf(" only sectors %v of %d", p.sectors, sectorCount(op, s.Disk.SectorSize()))
	if p.tear != nil {
		text += fmt.Sprintf(", sector %d torn: %s", p.torn, p.tear)
	}
	return text
}
