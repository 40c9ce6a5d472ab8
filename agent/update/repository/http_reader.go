package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/stele-os/stele/agent/fault"
)

// progressBytes is how much must have come for a break to be the first one again.
const progressBytes = 256 << 10

// httpReader reads a range over as many requests as it takes.
type httpReader struct {
	h      *HTTP
	ctx    context.Context // of the requests; a reader has no other way to end
	cancel context.CancelCauseFunc
	url    *url.URL
	// offset of what comes next, left to come; -1: to the end of the file.
	offset, left int64
	resp         *http.Response
	// hangUp ends the request in flight.
	hangUp context.CancelCauseFunc
	// attempts since progress was made, in bytes.
	attempts int
	progress int64
	// waited for the server, and what came meanwhile.
	waited time.Duration
	came   int64
	err    error
}

// connect asks for what is left, and again after each transient error until the attempts are used up. broken is the error that ended the
// connection before.
func (r *httpReader) connect(broken error) error {
	for err := broken; ; {
		if err != nil {
			if r.attempts++; isFinal(err) || r.ctx.Err() != nil {
				return r.explain(err)
			}
			if r.attempts >= r.h.o.Attempts {
				return r.explain(fmt.Errorf("%w (%d attempts)", err, r.attempts))
			}
			if err := r.h.sleep(r.ctx, r.h.o.Pause<<min(r.attempts-1, 10)); err != nil {
				return r.explain(err)
			}
		}
		var ctx context.Context
		ctx, r.hangUp = context.WithCancelCause(r.ctx)
		if r.resp, err = r.h.ask(ctx, r.url, r.offset, r.left); err == nil {
			return nil
		}
		r.hangUp(err)
	}
}

func (r *httpReader) explain(err error) error {
	return fault.As(fault.Unavailable, fmt.Errorf("cannot get %q: %w", withoutUser(r.url), err))
}

func (r *httpReader) Read(p []byte) (int, error) {
	for r.err == nil && r.left != 0 {
		n, err := r.take(p)
		if isFinal(err) {
			r.err = r.explain(err)
		}
		if n > 0 {
			return n, nil // an error that is not final comes again with the next call
		}
		if errors.Is(err, io.EOF) && r.left < 0 {
			r.left = 0
		} else if err != nil && r.err == nil {
			r.resume(err)
		}
	}
	if r.err == nil {
		r.err = r.atEnd()
	}
	return 0, r.err
}

// resume goes on behind what has come. A whole file may have changed meanwhile: it is only asked for again from its beginning.
func (r *httpReader) resume(err error) {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	r.resp.Body.Close()
	r.hangUp(err)
	if r.left < 0 && r.offset > 0 {
		err = finalError{err}
	}
	r.err = r.connect(err)
}

// take reads once, within all limits.
func (r *httpReader) take(p []byte) (int, error) {
	if r.left > 0 {
		p = p[:min(int64(len(p)), r.left)]
	}
	if burst := r.h.limiter.Burst(); burst > 0 {
		p = p[:min(len(p), burst)]
	}
	n, err := r.wait(p)
	r.offset += int64(n)
	if r.left > 0 {
		r.left -= int64(n)
	}
	if r.progress += int64(n); r.progress >= progressBytes {
		r.attempts, r.progress = 0, 0
	}
	total := r.h.total.Add(int64(n))
	switch {
	case r.h.o.MaxTotalBytes > 0 && total > r.h.o.MaxTotalBytes:
		return 0, final("more than %d bytes were read in all", r.h.o.MaxTotalBytes)
	case r.left < 0 && r.offset > r.h.o.MaxFileBytes:
		return 0, final("it is larger than %d bytes", r.h.o.MaxFileBytes)
	case n > 0 && r.h.o.MaxRateBytes > 0:
		if err := r.h.limiter.WaitN(r.ctx, n); err != nil {
			return 0, finalError{err}
		}
	}
	return n, err
}

// wait is one read of the body. Only the time in which the server lets us wait counts against it.
func (r *httpReader) wait(p []byte) (int, error) {
	hangUp, stalled := r.hangUp, r.h.stalled
	timer := time.AfterFunc(r.h.o.Stall, func() { hangUp(stalled) })
	begin := time.Now()
	n, err := r.resp.Body.Read(p)
	r.waited += time.Since(begin)
	if !timer.Stop() && n == 0 && err != nil {
		err = stalled
	}
	if cause := context.Cause(r.ctx); cause != nil && n == 0 {
		return 0, finalError{cause}
	}
	if r.came += int64(n); r.waited < r.h.o.Window {
		return n, err
	}
	least := int64(r.waited.Seconds() * float64(r.h.o.MinRateBytes))
	came, waited := r.came, r.waited
	r.came, r.waited = 0, 0
	if came < least {
		return 0, final("slow retrieval: %d bytes in %s, at least %d a second are wanted", came, waited.Round(time.Millisecond), r.h.o.MinRateBytes)
	}
	return n, err
}

// atEnd makes sure that a body of unknown length ends where the range does.
func (r *httpReader) atEnd() error {
	if r.resp.StatusCode == http.StatusPartialContent && r.resp.ContentLength < 0 {
		if n, _ := r.wait(make([]byte, 1)); n > 0 {
			return r.explain(errors.New("the server sends more than was asked for"))
		}
	}
	return io.EOF
}

// Close ends the request.
func (r *httpReader) Close() error {
	r.cancel(context.Canceled)
	if r.resp == nil {
		return nil
	}
	return r.resp.Body.Close()
}
