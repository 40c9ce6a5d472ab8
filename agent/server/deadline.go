package server

import (
	"io"
	"net/http"
	"time"
)

// deadlineBody bounds how long a client may take to send its first message.
type deadlineBody struct {
	io.ReadCloser
	control *http.ResponseController
	limit   time.Duration
	state   int // 0: not begun, 1: the deadline runs, 2: over
}

func (b *deadlineBody) Read(p []byte) (int, error) {
	if b.state == 0 {
		b.state = 1
		_ = b.control.SetReadDeadline(time.Now().Add(b.limit))
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.free()
	}
	return n, err
}

// free takes the deadline off: a message is there. HTTP/1 goes on reading to notice that the client leaves.
func (b *deadlineBody) free() {
	if b.state == 1 {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	b.state = 2
}

// deadlineWriter ends a call whose client does not take what is written. A deadline of HTTP/2 ends the stream when it passes, whether a write
// waits or not: it stands from the first byte until the flush, and what is quiet afterwards has none (TestQuietStreamLives). What is not flushed
// goes out when the handler has returned, below the deadline of its last write.
type deadlineWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

func (w *deadlineWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.limit))
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (w *deadlineWriter) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController looks for.
func (w *deadlineWriter) FlushError() error {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.limit))
	defer func() { _ = w.control.SetWriteDeadline(time.Time{}) }()
	return w.control.Flush()
}

// Unwrap is for http.ResponseController.
func (w *deadlineWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
