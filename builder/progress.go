package builder

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stele-os/stele/builder/store"
)

// progress tells a person how far a build is: on a terminal one live line, elsewhere one line a step, and one a minute in
// between while a step runs.
type progress struct {
	w                 io.Writer
	terminal, explain bool
	total             int

	mu      sync.Mutex
	number  int
	current *step
}

// step is one stage under way.
type step struct {
	p       *progress
	name    string
	number  int
	started time.Time
	text    string
	stop    chan struct{}
	stopped chan struct{}
}

func newProgress(w io.Writer, terminal, explain bool, total int) *progress {
	return &progress{w: w, terminal: terminal, explain: explain, total: total}
}

// step begins the next stage; done or fail ends it.
func (p *progress) step(name string) *step {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	s := &step{p: p, name: name, number: p.number, started: time.Now(), text: "working", stop: make(chan struct{}), stopped: make(chan struct{})}
	p.current = s
	go s.live()
	return s
}

// detail says what the current stage is doing.
func (p *progress) detail(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		p.current.text = text
	}
}

// live repeats the state of a step until it ends. A quick step never shows.
func (s *step) live() {
	defer close(s.stopped)
	every := time.Minute
	if s.p.terminal {
		every = 200 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.p.mu.Lock()
			line := fmt.Sprintf("%s%s, %s", s.head(), s.text, elapsed(s.started))
			s.p.mu.Unlock()
			if s.p.terminal {
				fmt.Fprintf(s.p.w, "\r\x1b[K%s", line)
			} else {
				fmt.Fprintln(s.p.w, line)
			}
		}
	}
}

func (s *step) head() string {
	return fmt.Sprintf("[%d/%d] %-13s ", s.number, s.p.total, s.name)
}

func (s *step) end() {
	close(s.stop)
	<-s.stopped
	s.p.mu.Lock()
	s.p.current = nil
	s.p.mu.Unlock()
	if s.p.terminal {
		fmt.Fprint(s.p.w, "\r\x1b[K")
	}
}

// done ends a step. Digests are printed with --explain.
func (s *step) done(outcome string, digests ...string) {
	s.end()
	fmt.Fprintf(s.p.w, "%s%s, %s\n", s.head(), outcome, elapsed(s.started))
	if s.p.explain {
		for _, d := range digests {
			fmt.Fprintf(s.p.w, "      %s\n", d)
		}
	}
}

// doneArtifact ends a step that took a part from the store or made it.
func (s *step) doneArtifact(a *store.Artifact) {
	outcome := "made"
	if a.Cached {
		outcome = "from the store"
	}
	digests := []string{"key " + a.Key}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		digests = append(digests, fmt.Sprintf("%s sha256:%s (%d bytes)", name, a.Files[name].SHA256, a.Files[name].SizeBytes))
	}
	s.done(outcome, digests...)
}

// fail ends a step and returns its error.
func (s *step) fail(err error) error {
	s.end()
	fmt.Fprintf(s.p.w, "%sfailed, %s\n", s.head(), elapsed(s.started))
	return err
}

func elapsed(since time.Time) string {
	d := time.Since(since)
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
}
