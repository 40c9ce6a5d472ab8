package server

import (
	"sync"

	"connectrpc.com/connect"
)

// slots counts calls that are going on.
type slots struct {
	limits Limits

	mu             sync.Mutex
	all, documents int
	calls, streams map[string]int // by the client's fingerprint
}

func newSlots(l Limits) *slots {
	return &slots{limits: l, calls: map[string]int{}, streams: map[string]int{}}
}

// take finds room for a call, or says what is full. Readers leave a quarter of the room, and one document, to those who can repair something.
func (s *slots) take(c *caller, r rule) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room, documents := s.limits.Calls, s.limits.Documents
	if c.role == reader {
		room, documents = room*3/4, documents-1
	}
	large := r.maxBytes > smallBytes && !r.stream
	switch {
	case s.all >= room:
		return nil, full("the machine answers %d calls already", s.all)
	case s.calls[c.fingerprint] >= s.limits.ClientCalls:
		return nil, full("the client has %d calls going on already", s.limits.ClientCalls)
	case r.stream && s.streams[c.fingerprint] >= s.limits.ClientStreams:
		return nil, full("the client has %d streams going on already", s.limits.ClientStreams)
	case large && s.documents >= documents:
		return nil, full("the machine reads %d documents already", s.documents)
	}
	s.add(c, r, large, 1)
	var once sync.Once
	return func() {
		once.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.add(c, r, large, -1)
		})
	}, nil
}

func (s *slots) add(c *caller, r rule, large bool, n int) {
	count := func(m map[string]int) {
		if m[c.fingerprint] += n; m[c.fingerprint] == 0 {
			delete(m, c.fingerprint)
		}
	}
	s.all += n
	count(s.calls)
	if r.stream {
		count(s.streams)
	}
	if large {
		s.documents += n
	}
}

func full(format string, args ...any) error {
	return connect.NewError(connect.CodeResourceExhausted, errorf(format+"; try again later", args...))
}
