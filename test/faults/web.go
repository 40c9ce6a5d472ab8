package faults

import (
	"net/http"
	"sync/atomic"
)

// Web serves a repository that can be exchanged, and counts what it sends.
type Web struct {
	current atomic.Pointer[http.Handler]
	sent    atomic.Int64
}

func newWeb(h http.Handler) *Web {
	w := &Web{}
	w.Serve(h)
	return w
}

// Serve goes on with another repository.
func (w *Web) Serve(h http.Handler) { w.current.Store(&h) }

// Sent counts the bytes of bodies sent so far.
func (w *Web) Sent() int64 { return w.sent.Load() }

// ServeHTTP is http.Handler's.
func (w *Web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	(*w.current.Load()).ServeHTTP(&counted{out, &w.sent}, r)
}

type counted struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}
