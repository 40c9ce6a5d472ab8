package events

import (
	"context"

	"github.com/stele-os/stele/agent/state"
)

// Watch publishes what changes in a machine's state until ctx ends.
func Watch(ctx context.Context, m *state.Machine, h *Hub) {
	var before snapshot
	for {
		now, changes := observe(m)
		for _, e := range differences(before, now) {
			h.Publish(e.Kind, e.Object, e.Message)
		}
		before = now
		if !state.WaitAny(ctx.Done(), changes, nil) {
			return
		}
	}
}

// snapshot is what events are made from.
type snapshot struct {
	Health     state.Health
	Document   state.Document
	Network    state.Network
	Clock      state.Clock
	Storage    state.Storage
	Runtime    state.Runtime
	Containers []state.Container
	Update     state.Update
	API        state.API
	Shutdown   state.Shutdown
}

func observe(m *state.Machine) (snapshot, []<-chan struct{}) {
	var s snapshot
	var changes []<-chan struct{}
	watch(&m.Health, &s.Health, &changes)
	watch(&m.Document, &s.Document, &changes)
	watch(&m.Network, &s.Network, &changes)
	watch(&m.Clock, &s.Clock, &changes)
	watch(&m.Storage, &s.Storage, &changes)
	watch(&m.Runtime, &s.Runtime, &changes)
	watch(&m.Containers, &s.Containers, &changes)
	watch(&m.Update, &s.Update, &changes)
	watch(&m.API, &s.API, &changes)
	watch(&m.Shutdown, &s.Shutdown, &changes)
	return s, changes
}

func watch[T any](v *state.Value[T], to *T, changes *[]<-chan struct{}) {
	current, _, changed := v.Watch()
	*to, *changes = current, append(*changes, changed)
}
