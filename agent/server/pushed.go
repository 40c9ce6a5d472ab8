package server

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/update/repository"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// pushDataBytes bounds one message's data.
const pushDataBytes = 256 << 10

// pushStream is the part of connect.BidiStream that is used.
type pushStream interface {
	Receive() (*nodev1.PushUpdateRequest, error)
	Send(*nodev1.PushUpdateResponse) error
}

// pushed is a repository.Source over a push. At any moment at most one Need is open and one message waits, so that it holds two messages
// at most, whatever the client sends: what comes too fast stays in the connection. Open waits until the reader before it is closed.
type pushed struct {
	stream pushStream
	limit  time.Duration // for the client to answer
	turn   chan struct{} // holds one token: the right to have a Need

	sending sync.Mutex

	mu   sync.Mutex
	last uint64 // of the Needs
	open *pushedReader
}

func newPushed(stream pushStream, limit time.Duration) *pushed {
	p := &pushed{stream: stream, limit: limit, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	return p
}

// String implements repository.Source.
func (p *pushed) String() string { return "the operator's bundle" }

func (p *pushed) send(m *nodev1.PushUpdateResponse) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	return p.stream.Send(m)
}

// Open implements repository.Source.
func (p *pushed) Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	p.mu.Lock()
	p.last++
	r := &pushedReader{source: p, ctx: ctx, id: p.last, path: path, length: length, data: make(chan *nodev1.PushUpdateRequest, 1), closed: make(chan struct{})}
	p.open = r
	p.mu.Unlock()
	if err := p.send(&nodev1.PushUpdateResponse{Need: &nodev1.Need{Id: r.id, Path: path, Offset: offset, Length: length}}); err != nil {
		r.Close()
		return nil, fault.New(fault.Aborted, "cannot ask the client for %q: %w", path, err)
	}
	// The first message says whether the file is there.
	if err := r.fill(); err != nil && err != io.EOF {
		r.Close()
		return nil, err
	}
	return r, nil
}

// receive hands what comes to the open Need until the client leaves or breaks the rules, or ctx ends.
func (p *pushed) receive(ctx context.Context) error {
	for {
		m, err := p.stream.Receive()
		if err != nil {
			return fault.New(fault.Aborted, "cannot take the update: the client left: %v", err) // %v: an io.EOF within would look like the end of a file
		}
		if len(m.GetData()) > pushDataBytes {
			return fault.New(fault.Invalid, "cannot take the update: a message holds %d bytes, more than %d", len(m.GetData()), pushDataBytes)
		}
		to, err := p.recipient(m.GetNeed())
		if err != nil {
			return err
		}
		if to == nil {
			continue // for a Need that was given up
		}
		select {
		case to.data <- m:
		case <-to.closed:
		case <-ctx.Done():
			return nil
		}
	}
}

// recipient is who waits for the data of a Need, nil where nobody does any more.
func (p *pushed) recipient(need uint64) (*pushedReader, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case need == 0 || need > p.last:
		return nil, fault.New(fault.Invalid, "cannot take the update: the client answers need %d, which was not asked", need)
	case p.open == nil || need != p.open.id:
		return nil, nil
	}
	return p.open, nil
}

// pushedReader is one Need. It belongs to one goroutine.
type pushedReader struct {
	source *pushed
	ctx    context.Context // of Open: a reader lives no longer than what it is for
	id     uint64
	path   string
	length int64 // still to come, -1: to the end

	data   chan *nodev1.PushUpdateRequest
	closed chan struct{}
	once   sync.Once

	rest  []byte
	ended error // io.EOF, or why there is nothing more
}

// Read implements io.Reader.
func (r *pushedReader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// fill waits for one message.
func (r *pushedReader) fill() error {
	if r.ended != nil {
		return r.ended
	}
	timer := time.NewTimer(r.source.limit)
	defer timer.Stop()
	select {
	case m := <-r.data:
		r.ended = r.take(m)
	case <-r.ctx.Done():
		r.ended = context.Cause(r.ctx)
	case <-timer.C:
		r.ended = fault.New(fault.Aborted, "cannot read %q: the client sent nothing for %s", r.path, r.source.limit)
	}
	if len(r.rest) > 0 {
		return nil
	}
	return r.ended
}

// take returns what a message means for those after it: nil, io.EOF or an error.
func (r *pushedReader) take(m *nodev1.PushUpdateRequest) error {
	if m.GetNotFound() {
		return repository.ErrNotFound
	}
	size := int64(len(m.GetData()))
	if size == 0 && !m.GetEnd() {
		return fault.New(fault.Invalid, "cannot read %q: the client sends a message with nothing in it", r.path)
	}
	if r.length >= 0 && size > r.length {
		return fault.New(fault.Invalid, "cannot read %q: the client sends more than asked for", r.path)
	}
	if r.length >= 0 {
		r.length -= size
	}
	r.rest = m.GetData()
	switch {
	case m.GetEnd() && r.length > 0:
		return fault.New(fault.Invalid, "cannot read %q: %d bytes are missing: %w", r.path, r.length, io.ErrUnexpectedEOF)
	case m.GetEnd():
		return io.EOF
	}
	return nil
}

// Close implements io.Closer. What still comes for this Need is dropped.
func (r *pushedReader) Close() error {
	r.once.Do(func() {
		close(r.closed)
		r.source.mu.Lock()
		r.source.open = nil
		r.source.mu.Unlock()
		r.source.turn <- struct{}{}
	})
	return nil
}
