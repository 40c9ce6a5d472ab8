// Package logline turns slog records into lines for people: the level as a word where it is not Info, the message, then key=value.
package logline

import (
	"log/slog"
	"strings"
)

// Format is what a slog.Handler knows from WithAttrs and WithGroup. The zero value is one that was just made.
type Format struct {
	prefix string // of keys, from WithGroup
	suffix string // from WithAttrs
}

// Line is a record as text, which can have several lines.
func (f Format) Line(r slog.Record) string {
	var line strings.Builder
	switch {
	case r.Level >= slog.LevelError:
		line.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		line.WriteString("warning: ")
	}
	line.WriteString(r.Message)
	line.WriteString(f.suffix)
	r.Attrs(func(a slog.Attr) bool {
		line.WriteString(f.pair(a))
		return true
	})
	return line.String()
}

// WithAttrs is for a handler's method of this name.
func (f Format) WithAttrs(attrs []slog.Attr) Format {
	for _, a := range attrs {
		f.suffix += f.pair(a)
	}
	return f
}

// WithGroup is for a handler's method of this name.
func (f Format) WithGroup(name string) Format {
	if name != "" {
		f.prefix += name + "."
	}
	return f
}

func (f Format) pair(a slog.Attr) string {
	if a.Equal(slog.Attr{}) {
		return ""
	}
	return " " + f.prefix + a.Key + "=" + a.Value.Resolve().String()
}
