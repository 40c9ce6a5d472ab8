package console

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// queueLines bounds the lines that wait for a slow console.
const queueLines = 512

// Console writes lines to a terminal through a bounded queue.
type Console struct {
	since func() time.Duration

	mu      sync.Mutex
	waiting []string
	lost    int
	wake    chan struct{}
	drained *sync.Cond
	writing bool
}

// New returns a Console; since is the time since kernel start. Lines wait until Run writes them.
func New(since func() time.Duration) *Console {
	c := &Console{since: since, wake: make(chan struct{}, 1)}
	c.drained = sync.NewCond(&c.mu)
	return c
}

// Run writes queued lines to w until ctx is done.
func (c *Console) Run(ctx context.Context, w io.Writer) error {
	for {
		if batch := c.take(); batch != "" {
			// A console that cannot be written to leaves nobody to tell.
			_, _ = io.WriteString(w, batch)
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		}
	}
}

// take returns what waits as one write, and "" when nothing does.
func (c *Console) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := c.waiting
	if c.lost > 0 {
		lines = append(lines, fmt.Sprintf("stele: %d lines lost: the console is too slow\n", c.lost))
	}
	c.waiting, c.lost = nil, 0
	c.writing = len(lines) > 0
	if !c.writing {
		c.drained.Broadcast()
	}
	return strings.Join(lines, "")
}

// Flush waits until everything queued so far is written, at most limit.
func (c *Console) Flush(limit time.Duration) {
	var late bool
	timer := time.AfterFunc(limit, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		late = true
		c.drained.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !late && (len(c.waiting) > 0 || c.writing) {
		c.drained.Wait()
	}
}

// Print queues message with the time since kernel start in front. Further lines of it are printed as lines of their own.
func (c *Console) Print(message string) {
	for line := range strings.Lines(message) {
		c.enqueue(fmt.Sprintf("stele: [%8.3f] %s\n", c.since().Seconds(), clean(line)))
	}
}

// PrintBlock queues lines without times, together or not at all.
func (c *Console) PrintBlock(lines []string) {
	var block strings.Builder
	for _, line := range lines {
		block.WriteString("stele: " + clean(line) + "\n")
	}
	c.enqueue(block.String())
}

func (c *Console) enqueue(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) >= queueLines {
		c.lost++
		return
	}
	c.waiting = append(c.waiting, text)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// clean takes the line end off and makes every character harmless to a terminal.
func clean(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.TrimRight(line, "\r\n"))
}
