package logs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestDecodeCRI(t *testing.T) {
	when := time.Date(2026, 11, 21, 9, 0, 0, 500, time.UTC)
	for line, want := range map[string]Entry{
		"2026-11-21T09:00:00.0000005Z stdout F hello world": {Time: when, Stream: "stdout", Line: "hello world"},
		"2026-11-21T09:00:00.0000005Z stderr P half":        {Time: when, Stream: "stderr", Line: "half", Partial: true},
		"2026-11-21T09:00:00.0000005Z stdout F ":            {Time: when, Stream: "stdout"},
		"2026-11-21T09:00:00.0000005Z stdout F":             {Time: when, Stream: "stdout"},
		"2026-11-21T09:00:00.0000005Z stdout F \xff":        {Time: when, Stream: "stdout", Line: "\uFFFD"},
		"2026-11-21T09:00:00.0000005Z elsewhere F x":        {Line: "2026-11-21T09:00:00.0000005Z elsewhere F x"},
		"no time stdout F x":                                {Line: "no time stdout F x"},
		"":                                                  {},
	} {
		if got := DecodeCRI([]byte(line)); got != want {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func FuzzDecodeCRI(f *testing.F) {
	f.Add([]byte("2026-11-21T09:00:00.0000005Z stdout F hello"))
	f.Add([]byte("2026-11-21T09:00:00Z stderr P \xff"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if e := DecodeCRI(line); !utf8.ValidString(e.Line) || len(e.Line) > 3*len(line) {
			t.Errorf("%q", e.Line)
		}
	})
}

func FuzzDecodeKernel(f *testing.F) {
	f.Add([]byte("6,1,5000,-;text\n SUBSYSTEM=pci\n"))
	f.Add([]byte("6,1,5000,-,caller=T1;a\xff\n"))
	f.Fuzz(func(t *testing.T, record []byte) {
		if e, ok := DecodeKernel(record, time.Unix(0, 0)); ok && (!utf8.ValidString(e.Line) || strings.Contains(e.Line, "\n")) {
			t.Errorf("%q", e.Line)
		}
	})
}

// kernelOf is a kernel log with records and errors.
type kernelOf struct {
	steps []any
	at    int
}

func (k *kernelOf) Read(p []byte) (int, error) {
	if k.at == len(k.steps) {
		return 0, unix.EAGAIN
	}
	k.at++
	if err, ok := k.steps[k.at-1].(error); ok {
		return 0, err
	}
	return copy(p, k.steps[k.at-1].(string)), nil
}

func (*kernelOf) Close() error          { return nil }
func (*kernelOf) Uptime() time.Duration { return 10 * time.Second }

func TestReadKernel(t *testing.T) {
	steps := []any{"6,0,1000000,-;Linux version 6.12\n", unix.EINTR, "3,1,2000000,-;oops\n DEVICE=x\n", unix.EPIPE, "garbage", "6,9,3000000,c;end\n"}
	for tail, want := range map[int]string{0: "Linux version 6.12|oops|(lines are lost: the kernel wrote faster than they were read)|end", 1: "end"} {
		var got []string
		now := time.Unix(1000, 0)
		err := ReadKernel(context.Background(), &kernelOf{steps: steps}, func() time.Time { return now }, Query{Tail: tail}, func(e Entry) error {
			if e.Line == "end" && !e.Time.Equal(time.Unix(993, 0)) {
				t.Error(e.Time)
			}
			got = append(got, e.Line)
			return nil
		})
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("tail %d: %q %v", tail, got, err)
		}
	}
}

func TestAgentLog(t *testing.T) {
	a := NewAgent()
	log := slog.New(NewHandler(a, slog.DiscardHandler))
	log.Info("first\nsecond")
	log.With("a", 1).WithGroup("g").Warn("third", "b", 2)
	log.Debug("never")
	var got []string
	err := a.Read(context.Background(), Query{}, func(e Entry) error { got = append(got, e.Line); return nil })
	if want := "first|second|warning: third a=1 g.b=2"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("%q %v", got, err)
	}
	for i := range 3 * agentLines {
		log.Info(fmt.Sprint(i))
	}
	got = nil
	_ = a.Read(context.Background(), Query{Tail: 2}, func(e Entry) error { got = append(got, e.Line); return nil })
	if want := fmt.Sprintf("%d|%d", 3*agentLines-2, 3*agentLines-1); strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
}
