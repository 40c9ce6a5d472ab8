package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// maxMessageBytes bounds one QMP message; the largest QEMU sends (query-qmp-schema) is below 300 KiB.
const maxMessageBytes = 1 << 20

// Event is what QEMU tells by itself, such as SHUTDOWN, RESET, WATCHDOG.
type Event struct {
	Name string
	Data map[string]any
	// At is when it came, on the host's clock.
	At time.Time
}

// Client is a QMP connection: newline-separated JSON, a greeting, one answer a command by id, events in between
// (QEMU docs/interop/qmp-spec.rst, sections 2.1 to 2.6). Safe for concurrent use.
type Client struct {
	conn net.Conn

	mu      sync.Mutex
	id      int64
	pending map[int64]chan message
	events  []Event
	changed chan struct{}
	err     error
}

// message is any one line from QEMU.
type message struct {
	Greeting json.RawMessage `json:"QMP"`
	Return   json.RawMessage `json:"return"`
	Error    *qmpError       `json:"error"`
	Event    string          `json:"event"`
	Data     map[string]any  `json:"data"`
	ID       *int64          `json:"id"`
}

type qmpError struct {
	Class string `json:"class"`
	Desc  string `json:"desc"`
}

func decodeMessage(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, fmt.Errorf("cannot decode QMP message: %w", err)
	}
	return m, nil
}

// newClient reads the greeting, leaves capabilities negotiation and reads on until the connection ends. The client owns conn.
func newClient(ctx context.Context, conn net.Conn) (*Client, error) {
	scanner := bufio.NewScanner(conn)
	scanner.Buffer(nil, maxMessageBytes)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if !scanner.Scan() {
		conn.Close()
		return nil, fmt.Errorf("cannot read QMP greeting: %w", scanError(scanner))
	}
	if m, err := decodeMessage(scanner.Bytes()); err != nil || m.Greeting == nil {
		conn.Close()
		return nil, errors.Join(errors.New("cannot read QMP greeting: not a QMP server"), err)
	}
	c := &Client{conn: conn, pending: map[int64]chan message{}, changed: make(chan struct{})}
	go c.read(scanner)
	if err := c.Execute(ctx, "qmp_capabilities", nil, nil); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func scanError(s *bufio.Scanner) error {
	if err := s.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// read hands out answers and events until the connection ends, then fails whoever still waits.
func (c *Client) read(scanner *bufio.Scanner) {
	for scanner.Scan() {
		m, err := decodeMessage(scanner.Bytes())
		if err != nil {
			break
		}
		c.dispatch(m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = fmt.Errorf("the QMP connection has ended: %w", scanError(scanner))
	for id, answer := range c.pending {
		close(answer)
		delete(c.pending, id)
	}
	close(c.changed)
	c.conn.Close()
}

func (c *Client) dispatch(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case m.Event != "":
		c.events = append(c.events, Event{Name: m.Event, Data: m.Data, At: time.Now()})
		close(c.changed)
		c.changed = make(chan struct{})
	case m.ID != nil && c.pending[*m.ID] != nil:
		c.pending[*m.ID] <- m // holds one; QEMU answers once
		delete(c.pending, *m.ID)
	}
}

// Execute runs one command and decodes what it returns into result, unless that is nil.
func (c *Client) Execute(ctx context.Context, command string, arguments, result any) error {
	fail := func(err error) error { return fmt.Errorf("cannot execute QMP command %q: %w", command, err) }
	answer := make(chan message, 1)
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return fail(c.err)
	}
	c.id++
	id := c.id
	c.pending[id] = answer
	c.mu.Unlock()

	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        int64  `json:"id"`
	}{command, arguments, id})
	if err != nil {
		return fail(err)
	}
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		return fail(err)
	}
	select {
	case m, open := <-answer:
		switch {
		case !open:
			return fail(c.Err())
		case m.Error != nil:
			return fail(fmt.Errorf("%s: %s", m.Error.Class, m.Error.Desc))
		case result != nil:
			if err := json.Unmarshal(m.Return, result); err != nil {
				return fail(err)
			}
		}
		return nil
	case <-ctx.Done():
		return fail(context.Cause(ctx))
	}
}

// Err is why the connection ended, or nil while it lives.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Events are all events so far.
func (c *Client) Events() []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Event(nil), c.events...)
}

// ExpectEvent returns the first event of that name, past or future, from index first on.
func (c *Client) ExpectEvent(ctx context.Context, first int, name string) (Event, error) {
	for {
		c.mu.Lock()
		for _, e := range c.events[min(first, len(c.events)):] {
			if e.Name == name {
				c.mu.Unlock()
				return e, nil
			}
		}
		first = max(first, len(c.events))
		err, changed := c.err, c.changed
		c.mu.Unlock()
		if err != nil {
			return Event{}, fmt.Errorf("cannot find event %q: %w", name, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, fmt.Errorf("cannot find event %q: %w", name, context.Cause(ctx))
		}
	}
}
