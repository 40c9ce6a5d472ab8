package story

import (
	"slices"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/atomicfile"
)

// Dir is where a machine keeps its stories.
const Dir = "/var/lib/stele/boots"

// maxBoots bounds how many stories are kept; on a full disk fewBoots.
const (
	maxBoots = 32
	fewBoots = 4
)

// Book holds the stories of a machine's boots. Safe for concurrent use. Every method but List and Torn may return an error of the disk; the story
// itself is then kept in memory, and the next change tries again.
type Book struct {
	dir string
	now func() time.Time
	// keep is atomicfile.Keep.
	keep func(path string, content []byte) error

	mu      sync.Mutex
	entries []entry // oldest first
	// present: the last entry is the boot that runs.
	present bool
	torn    int
}

// entry is one story and the number of its file.
type entry struct {
	number uint64
	story  state.BootStory
	// written: this process has written the file, its last line is the story, and size is its size. A file from before may end in a torn line, so
	// it is never appended to.
	written bool
	size    int
}

// Open reads the stories below dir, which need not exist. Records that cannot be read are skipped and counted. An error means that the directory
// cannot be used; the Book works in memory then.
func Open(dir string) (*Book, error) {
	b := &Book{dir: dir, now: time.Now, keep: atomicfile.Keep}
	entries, torn, err := readAll(dir)
	b.entries, b.torn = entries, torn
	return b, err
}

// Torn is how many records were skipped at Open.
func (b *Book) Torn() int { return b.torn }

// List returns the stories, the newest first.
func (b *Book) List() []state.BootStory {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]state.BootStory, 0, len(b.entries))
	for _, e := range slices.Backward(b.entries) {
		list = append(list, e.story)
	}
	return list
}

// Begin starts the story of the present boot and waits for the disk. Started and Outcome are filled in where they are missing. Called again with
// the same ID, as after a restart of the manager that calls, it goes on with the story that is there.
func (b *Book) Begin(s state.BootStory) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.entries); n > 0 && b.entries[n-1].story.ID == s.ID {
		b.present = true
		return nil
	}
	if s.Started.IsZero() {
		s.Started = b.now()
	}
	if s.Outcome == "" {
		s.Outcome = state.OutcomeRunning
	}
	b.present = true
	return b.add(s)
}

// Add puts complete stories, such as Explain's, behind those that are there. It comes before Begin. One whose ID is there already replaces that.
func (b *Book) Add(stories ...state.BootStory) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var failure error
	for _, s := range stories {
		at := slices.IndexFunc(b.entries, func(e entry) bool { return e.story.ID == s.ID })
		var err error
		if at >= 0 {
			b.entries[at].story = bounded(s)
			err = b.write(&b.entries[at], true)
		} else {
			err = b.add(s)
		}
		if failure == nil {
			failure = err
		}
	}
	return failure
}

// Update keeps the gates of the present boot, and whether its version is committed. Only a change of the latter waits for the disk.
func (b *Book) Update(gates []state.Gate, committed bool) error {
	return b.change(func(s *state.BootStory) (changed, durable bool) {
		durable = s.Committed != committed
		changed = durable || !slices.EqualFunc(s.Gates, gates, sameGate)
		s.Gates, s.Committed = slices.Clone(gates), committed
		return changed, durable
	})
}

// End keeps how the present boot ends, and waits for the disk. The first word counts: what follows a rejection is not a restart.
func (b *Book) End(outcome state.Outcome, reason string) error {
	return b.change(func(s *state.BootStory) (changed, durable bool) {
		if s.Outcome != state.OutcomeRunning {
			return false, false
		}
		s.Outcome, s.Reason, s.Ended = outcome, reason, b.now()
		return true, true
	})
}

func (b *Book) change(f func(*state.BootStory) (changed, durable bool)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.present {
		return nil
	}
	e := &b.entries[len(b.entries)-1]
	changed, durable := f(&e.story)
	if !changed && e.written {
		return nil
	}
	e.story = bounded(e.story)
	return b.write(e, durable)
}

// sameGate leaves out Since: a restarted hold is no news for the story.
func sameGate(a, b state.Gate) bool {
	return a.Name == b.Name && a.State == b.State && a.Reason == b.Reason
}
