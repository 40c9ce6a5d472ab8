package console

import (
	"context"
	"log/slog"

	"github.com/stele-os/stele/internal/logline"
)

// Handler turns slog records into console lines.
type Handler struct {
	console *Console
	format  logline.Format
}

// NewHandler returns a Handler that writes to c. Records below Info are dropped.
func NewHandler(c *Console) *Handler { return &Handler{console: c} }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	h.console.Print(h.format.Line(r))
	return nil
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.console, h.format.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.console, h.format.WithGroup(name)}
}
