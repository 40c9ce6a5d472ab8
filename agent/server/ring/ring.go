// Package ring keeps the last of a sequence, for any number of readers of any speed.
//
// There is one copy of each item, whoever reads: a reader is only a number, the sequence number of the item it wants next. One that is
// too slow loses items and is told how many; it never holds up the writer, nor costs memory. A queue for each reader was the alternative.
package ring

import (
	"context"
	"sync"
)

// Ring holds at most a number of items and of bytes. Safe for concurrent use.
type Ring[T any] struct {
	maxItems, maxBytes int

	mu      sync.Mutex
	items   []entry[T] // from the oldest on
	next    uint64     // sequence number of the item to come; the first one is 1
	bytes   int
	changed chan struct{}
}

type entry[T any] struct {
	item  T
	bytes int
}

// New returns an empty Ring.
func New[T any](maxItems, maxBytes int) *Ring[T] {
	return &Ring[T]{maxItems: maxItems, maxBytes: maxBytes, next: 1}
}

// Add appends what make returns for the new sequence number, with its size in bytes, and drops the oldest where there is no room.
func (r *Ring[T]) Add(make func(sequence uint64) (item T, bytes int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	item, bytes := make(r.next)
	r.items = append(r.items, entry[T]{item, bytes})
	r.next++
	r.bytes += bytes
	for len(r.items) > r.maxItems || r.bytes > r.maxBytes && len(r.items) > 1 {
		r.bytes -= r.items[0].bytes
		r.items[0] = entry[T]{}
		r.items = r.items[1:]
	}
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Last is where to begin to read the last n items that are kept, and what comes after them.
func (r *Ring[T]) Last(n int) (sequence uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next - uint64(min(max(n, 0), len(r.items)))
}

// Read returns the item with that sequence number, or the oldest that is kept, and how many were lost before it. ok is false when there is
// none yet; changed is then closed when there is one.
func (r *Ring[T]) Read(sequence uint64) (item T, next, lost uint64, ok bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sequence >= r.next {
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		return item, sequence, 0, false, r.changed
	}
	if oldest := r.next - uint64(len(r.items)); sequence < oldest {
		sequence, lost = oldest, oldest-sequence
	}
	at := len(r.items) - int(r.next-sequence)
	return r.items[at].item, sequence + 1, lost, true, nil
}

// Next is Read that waits.
func (r *Ring[T]) Next(ctx context.Context, sequence uint64) (item T, next, lost uint64, err error) {
	for {
		item, next, lost, ok, changed := r.Read(sequence)
		if ok {
			return item, next, lost, nil
		}
		select {
		case <-ctx.Done():
			return item, next, 0, ctx.Err()
		case <-changed:
		}
	}
}
