package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"
)

// maxConsoleBytes bounds what a Console remembers; the log file holds the rest.
const maxConsoleBytes = 4 << 20

// Line is one line of a console.
type Line struct {
	// Index counts from 0 since power-on.
	Index int
	// Text without escape sequences or line ending.
	Text string
	// At is when the line was complete, on the host's clock.
	At time.Time
}

// Match is a line that an expectation was looking for.
type Match struct {
	Line
	// Groups are the pattern's submatches; Groups[0] is the whole match.
	Groups []string
}

// Console remembers what a machine wrote on its serial console, and finds lines in it, past and future. Safe for concurrent use.
type Console struct {
	deny, allow []*regexp.Regexp
	now         func() time.Time

	mu      sync.Mutex
	lines   []Line
	bytes   int
	next    int // index of the line to come
	denied  *Line
	closed  bool
	changed chan struct{} // closed and replaced at each change
	follow  func(Line)
}

// newConsole makes an empty console whose lines are judged by the deny and allow patterns.
func newConsole(deny, allow []string, now func() time.Time) (*Console, error) {
	c := &Console{now: now, changed: make(chan struct{})}
	for _, set := range []struct {
		words []string
		into  *[]*regexp.Regexp
	}{{deny, &c.deny}, {allow, &c.allow}} {
		for _, word := range set.words {
			re, err := regexp.Compile(word)
			if err != nil {
				return nil, fmt.Errorf("cannot compile console pattern %q: %w", word, err)
			}
			*set.into = append(*set.into, re)
		}
	}
	return c, nil
}

// readFrom takes lines until r ends.
func (c *Console) readFrom(r io.Reader) {
	var s splitter
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		s.feed(buffer[:n], c.add)
		if err != nil {
			s.flush(c.add)
			c.close()
			return
		}
	}
}

func (c *Console) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := Line{Index: c.next, Text: text, At: c.now()}
	c.next++
	c.lines = append(c.lines, line)
	c.bytes += len(text)
	for c.bytes > maxConsoleBytes && len(c.lines) > 1 {
		c.bytes -= len(c.lines[0].Text)
		c.lines = c.lines[1:]
	}
	if c.denied == nil && matchAny(c.deny, text) && !matchAny(c.allow, text) {
		c.denied = &line
	}
	if c.follow != nil {
		c.follow(line)
	}
	c.wake()
}

func (c *Console) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.wake()
}

func (c *Console) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Follow calls f for each line remembered and each one to come, in order, without gaps. f must not call methods of the console.
func (c *Console) Follow(f func(Line)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range c.lines {
		f(line)
	}
	c.follow = f
}

// Lines are the lines remembered from index first on.
func (c *Console) Lines(first int) []Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Line(nil), c.from(first)...)
}

// Next is the index of the line to come: expect from here what has not been said yet.
func (c *Console) Next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// Err is the first denied line, as an error, or nil.
func (c *Console) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deniedError()
}

// Expect returns the first line from index first on that matches; it waits for one to come. It fails at once on a denied line, when the
// console has ended, and when ctx is over.
func (c *Console) Expect(ctx context.Context, first int, re *regexp.Regexp) (Match, error) {
	for {
		c.mu.Lock()
		for _, line := range c.from(first) {
			if groups := re.FindStringSubmatch(line.Text); groups != nil {
				c.mu.Unlock()
				return Match{line, groups}, nil
			}
		}
		denied, closed, changed := c.deniedError(), c.closed, c.changed
		first = max(first, c.next)
		tail := c.tail(12)
		c.mu.Unlock()
		if denied != nil {
			return Match{}, denied
		}
		if closed {
			return Match{}, expectError(re, errors.New("the machine has stopped"), tail)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Match{}, expectError(re, context.Cause(ctx), tail)
		}
	}
}

func expectError(re *regexp.Regexp, cause error, tail string) error {
	return fmt.Errorf("cannot find %q on the console: %w; last lines:\n%s", re, cause, tail)
}

func (c *Console) deniedError() error {
	if c.denied == nil {
		return nil
	}
	return fmt.Errorf("console line %d is trouble: %q", c.denied.Index+1, c.denied.Text)
}

// from is the remembered lines from an index on. The lock is held.
func (c *Console) from(first int) []Line {
	oldest := c.next - len(c.lines)
	return c.lines[min(max(first-oldest, 0), len(c.lines)):]
}

// tail is the last n lines with text, indented. The lock is held.
func (c *Console) tail(n int) string {
	var b strings.Builder
	for _, line := range c.lines[max(0, len(c.lines)-n):] {
		b.WriteString("    " + line.Text + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func matchAny(patterns []*regexp.Regexp, text string) bool {
	for _, re := range patterns {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}
