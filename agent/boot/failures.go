package boot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// failures are the managers that failed lately. A version whose managers fail does not commit itself. The zero value has none.
type failures struct {
	mu    sync.Mutex
	since map[string]string
	times map[string]int
	// current is what state watchers see: a sentence a manager, sorted.
	current state.Value[[]string]
}

// note takes a failure down; it is forgotten once the manager has run steadily since.
func (f *failures) note(manager string, err error) {
	reason, _, _ := strings.Cut(err.Error(), "\n") // of a panic the first line
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since == nil {
		f.since, f.times = map[string]string{}, map[string]int{}
	}
	f.since[manager] = fmt.Sprintf("manager %s failed: %s", manager, reason)
	f.times[manager]++
	count := f.times[manager]
	f.publish()
	time.AfterFunc(backoffMax+steadyAfter, func() { f.forget(manager, count) })
}

func (f *failures) forget(manager string, count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times[manager] == count { // no failure since
		delete(f.since, manager)
		f.publish()
	}
}

func (f *failures) publish() { f.current.Set(slices.Sorted(maps.Values(f.since))) }
