// Package state is where the agent's managers meet: each publishes what it knows as one value and watches the values of others.
// No manager holds a reference to another one.
package state

import "sync"

// Value is a published value of type T. The zero Value holds T's zero value and is ready to use. Safe for concurrent use.
// What is stored is never modified afterwards: a writer stores a new value.
type Value[T any] struct {
	mu      sync.Mutex
	current T
	set     bool
	changed chan struct{}
}

// Get returns the current value, and whether any was ever published.
func (v *Value[T]) Get() (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.current, v.set
}

// Set publishes x and wakes everyone who watches.
func (v *Value[T]) Set(x T) {
	v.Update(func(T) T { return x })
}

// Update publishes what f makes of the current value, atomically. f must not call methods of v.
func (v *Value[T]) Update(f func(T) T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.current, v.set = f(v.current), true
	if v.changed != nil {
		close(v.changed)
		v.changed = nil
	}
}

// Watch returns the current value, whether any was ever published, and a channel that is closed at the next change.
func (v *Value[T]) Watch() (T, bool, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.changed == nil {
		v.changed = make(chan struct{})
	}
	return v.current, v.set, v.changed
}
