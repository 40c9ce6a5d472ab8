package console

import (
	"context"
	"log/slog"
	"strings"
)

// Handler turns slog records into console lines: the level as a word where it is not Info, the message, then key=value.
type Handler struct {
	console *Console
	prefix  string // of keys, from WithGroup
	suffix  string // from WithAttrs
}

// NewHandler returns a Handler that writes to c. Records below Info are dropped.
func NewHandler(c *Console) *Handler { return &Handler{console: c} }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	switch {
	case r.Level >= slog.LevelError:
		line.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		line.WriteString("warning: ")
	}
	line.WriteString(r.Message)
	line.WriteString(h.suffix)
	r.Attrs(func(a slog.Attr) bool {
		line.WriteString(h.format(a))
		return true
	})
	h.console.Print(line.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	for _, a := range attrs {
		next.suffix += h.format(a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	next := *h
	if name != "" {
		next.prefix += name + "."
	}
	return &next
}

func (h *Handler) format(a slog.Attr) string {
	if a.Equal(slog.Attr{}) {
		return ""
	}
	return " " + h.prefix + a.Key + "=" + a.Value.Resolve().String()
}
