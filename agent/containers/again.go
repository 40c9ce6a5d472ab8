package containers

import "sync"

// again is how callers ask a worker to end its container and start it again, and wait until it has.
type again struct {
	asked   chan struct{} // holds one token while somebody waits
	mu      sync.Mutex
	waiting []chan error
	closed  error
}

func newAgain() *again { return &again{asked: make(chan struct{}, 1)} }

// ask returns where the answer comes: nil once the old container has ended and the next one is on its way.
func (a *again) ask() <-chan error {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer := make(chan error, 1)
	if a.closed != nil {
		answer <- a.closed
		return answer
	}
	a.waiting = append(a.waiting, answer)
	select {
	case a.asked <- struct{}{}:
	default:
	}
	return answer
}

// answer tells everybody who has asked by now.
func (a *again) answer(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.asked:
	default:
	}
	for _, w := range a.waiting {
		w <- err
	}
	a.waiting = nil
}

// close answers everybody, also those who ask later.
func (a *again) close(err error) {
	a.answer(err)
	a.mu.Lock()
	a.closed = err
	late := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	for _, w := range late {
		w <- err
	}
}
