package logs

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/server/ring"
	"github.com/stele-os/stele/internal/logline"
)

const (
	agentLines = 2000
	agentBytes = 256 << 10
)

// Agent keeps the last lines of the agent's own log.
type Agent struct{ ring *ring.Ring[Entry] }

// NewAgent returns an empty log.
func NewAgent() *Agent { return &Agent{ring: ring.New[Entry](agentLines, agentBytes)} }

// Add appends one line.
func (a *Agent) Add(when time.Time, line string) {
	if len(line) > maxLineBytes {
		line = line[:maxLineBytes]
	}
	line = strings.ToValidUTF8(line, "\uFFFD")
	a.ring.Add(func(uint64) (Entry, int) { return Entry{Time: when, Line: line}, len(line) })
}

// Read hands lines to emit until there are no more, or with Follow until ctx ends or emit fails.
func (a *Agent) Read(ctx context.Context, q Query, emit func(Entry) error) error {
	n := q.Tail
	if n == 0 {
		n = agentLines
	}
	next := a.ring.Last(n)
	for {
		entry, following, _, ok, changed := a.ring.Read(next)
		if !ok {
			if !q.Follow {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			}
			continue
		}
		next = following
		if q.wants(entry) {
			if err := emit(entry); err != nil {
				return err
			}
		}
	}
}

// Handler hands slog records to another handler, and keeps them as lines.
type Handler struct {
	next   slog.Handler
	agent  *Agent
	format logline.Format
}

// NewHandler returns a Handler in front of next.
func NewHandler(a *Agent, next slog.Handler) *Handler { return &Handler{next: next, agent: a} }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	for text := range strings.Lines(h.format.Line(r)) {
		h.agent.Add(r.Time, strings.TrimRight(text, "\r\n"))
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.next.WithAttrs(attrs), h.agent, h.format.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.next.WithGroup(name), h.agent, h.format.WithGroup(name)}
}
