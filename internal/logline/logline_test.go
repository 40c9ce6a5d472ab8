package logline

import (
	"log/slog"
	"testing"
	"time"
)

func TestLine(t *testing.T) {
	record := func(level slog.Level, attrs ...slog.Attr) slog.Record {
		r := slog.NewRecord(time.Time{}, level, "link is down", 0)
		r.AddAttrs(attrs...)
		return r
	}
	with := Format{}.WithAttrs([]slog.Attr{slog.Int("n", 1)}).WithGroup("").WithGroup("net").WithAttrs([]slog.Attr{slog.String("name", "eth0"), {}})
	for want, got := range map[string]string{
		"link is down":                                  Format{}.Line(record(slog.LevelInfo)),
		"warning: link is down a=2":                     Format{}.Line(record(slog.LevelWarn, slog.Int("a", 2))),
		"error: link is down n=1 net.name=eth0 net.a=2": with.Line(record(slog.LevelError, slog.Int("a", 2))),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
