// Package events is what happens on a machine, as a list that grows by one with each event of a boot. The last 512 are kept.
//
// Events come from the agent's state (Watch: what differs between two snapshots, a pure function) and from whoever calls Publish. They are
// for people and controllers who want to know when to look; what is true now stands in the state, not here.
//
// No event holds a document's values (TestEventsHoldNoSecrets).
package events

import (
	"context"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/server/ring"
)

const (
	kept            = 512
	keptBytes       = 256 << 10
	maxMessageBytes = 1 << 10
)

// Event is something that happened.
type Event struct {
	Time     time.Time
	Kind     string // machine, document, network, container, update, api
	Object   string
	Message  string
	Sequence uint64
	// Lost events before this one, for the reader that got it.
	Lost uint64
}

// Hub keeps events.
type Hub struct {
	ring *ring.Ring[Event]
	now  func() time.Time
}

// NewHub returns an empty Hub.
func NewHub(now func() time.Time) *Hub {
	return &Hub{ring: ring.New[Event](kept, keptBytes), now: now}
}

// Publish adds an event. It never blocks.
func (h *Hub) Publish(kind, object, message string) {
	object, message = bounded(object), bounded(message)
	h.ring.Add(func(sequence uint64) (Event, int) {
		return Event{Time: h.now(), Kind: kind, Object: object, Message: message, Sequence: sequence}, len(message) + len(object)
	})
}

// Reader reads events from a place on. It belongs to one goroutine.
type Reader struct {
	hub  *Hub
	next uint64
}

// Reader begins with the last n events that are kept.
func (h *Hub) Reader(last int) *Reader { return &Reader{hub: h, next: h.ring.Last(last)} }

// Next waits for the next event.
func (r *Reader) Next(ctx context.Context) (Event, error) {
	event, next, lost, err := r.hub.ring.Next(ctx, r.next)
	r.next, event.Lost = next, lost
	return event, err
}

// bounded makes a message short, valid UTF-8.
func bounded(message string) string {
	if len(message) > maxMessageBytes {
		message = message[:maxMessageBytes] + "..."
	}
	return strings.ToValidUTF8(message, "?")
}
