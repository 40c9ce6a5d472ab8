package faults

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// Web serves a repository. It can be exchanged, and its connection can stall.
type Web struct {
	current     atomic.Pointer[http.Handler]
	sent, limit atomic.Int64 // bytes of bodies; limit 0: none
}

func newWeb(h http.Handler) *Web {
	w := &Web{}
	w.Serve(h)
	return w
}

// Serve goes on with another repository.
func (w *Web) Serve(h http.Handler) { w.current.Store(&h) }

// StallAfter lets so many bytes more through, and then nothing until Flow.
func (w *Web) StallAfter(bytes int64) { w.limit.Store(w.sent.Load() + bytes) }

// Flow ends a stall.
func (w *Web) Flow() { w.limit.Store(0) }

// Stalled tells whether the limit is reached.
func (w *Web) Stalled() bool {
	limit := w.limit.Load()
	return limit > 0 && w.sent.Load() >= limit
}

// ServeHTTP is http.Handler's.
func (w *Web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	(*w.current.Load()).ServeHTTP(&stalling{out, r, w}, r)
}

type stalling struct {
	http.ResponseWriter
	request *http.Request
	web     *Web
}

var errStalled = errors.New("the client has gone while the connection stalled")

func (s *stalling) Write(p []byte) (int, error) {
	for s.web.Stalled() {
		select {
		case <-s.request.Context().Done():
			return 0, errStalled
		case <-time.After(20 * time.Millisecond):
		}
	}
	n, err := s.ResponseWriter.Write(p)
	s.web.sent.Add(int64(n))
	return n, err
}
