package console

import (
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// snapshot is the machine's state at one moment. A pointer is nil while nobody has published the value.
type snapshot struct {
	Facts      plan.Facts
	Desired    *plan.Desired
	Boot       state.Boot
	Document   *state.Document
	Network    state.Network
	Clock      state.Clock
	Storage    *state.Storage
	Runtime    state.Runtime
	Containers []state.Container
	Update     *state.Update
	Boots      []state.BootStory
	API        state.API
	Shutdown   *state.Shutdown
	// Now is for what is left of a deadline.
	Now time.Time
}

// observe takes a snapshot, and returns a channel for each value that is closed when the value changes.
func observe(m *state.Machine) (snapshot, []<-chan struct{}) {
	var s snapshot
	var changes []<-chan struct{}
	s.Facts = *watch(&m.Facts, &changes, true)
	s.Desired = watch(&m.Desired, &changes, false)
	s.Boot = *watch(&m.Boot, &changes, true)
	s.Document = watch(&m.Document, &changes, false)
	s.Network = *watch(&m.Network, &changes, true)
	s.Clock = *watch(&m.Clock, &changes, true)
	s.Storage = watch(&m.Storage, &changes, false)
	s.Runtime = *watch(&m.Runtime, &changes, true)
	s.Containers = *watch(&m.Containers, &changes, true)
	s.Update = watch(&m.Update, &changes, false)
	s.Boots = *watch(&m.Boots, &changes, true)
	s.API = *watch(&m.API, &changes, true)
	s.Shutdown = watch(&m.Shutdown, &changes, false)
	s.Now = time.Now()
	return s, changes
}

// watch returns the value, or nil where it was never published and zero is not asked for.
func watch[T any](v *state.Value[T], changes *[]<-chan struct{}, zero bool) *T {
	current, ok, changed := v.Watch()
	*changes = append(*changes, changed)
	if !ok && !zero {
		return nil
	}
	return &current
}
