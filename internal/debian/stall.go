package debian

import (
	"context"
	"errors"
	"io"
	"time"
)

// stallLimit is how long a mirror may send nothing. There is no limit on a whole transfer: slow lines are no error.
const stallLimit = time.Minute

var errStalled = errors.New("the mirror sends no more data")

// stallReader ends a transfer in which nothing arrives any more, by cancelling its request.
type stallReader struct {
	body   io.ReadCloser
	ctx    context.Context // of the request; it carries the cause
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
}

func newStallReader(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, limit time.Duration) *stallReader {
	return &stallReader{body: body, ctx: ctx, cancel: cancel, limit: limit, timer: time.AfterFunc(limit, func() { cancel(errStalled) })}
}

func (s *stallReader) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if err == nil {
		s.timer.Reset(s.limit)
	} else if cause := context.Cause(s.ctx); cause != nil && !errors.Is(err, io.EOF) {
		err = cause
	}
	return n, err
}

func (s *stallReader) Close() error {
	s.timer.Stop()
	defer s.cancel(nil)
	return s.body.Close()
}
