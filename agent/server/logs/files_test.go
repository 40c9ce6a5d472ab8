package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func plain(line []byte) Entry { return Entry{Line: valid(line)} }

func write(t *testing.T, path, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
}

func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func collect(t *testing.T, f Files, q Query) []string {
	t.Helper()
	var lines []string
	err := f.Read(context.Background(), q, func(e Entry) error {
		lines = append(lines, e.Line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	write(t, path+".2", numbered(0, 3000))
	write(t, path+".1", numbered(3000, 3005))
	write(t, path, numbered(3005, 3010)+"torn")
	for _, tt := range []struct{ tail, first, count int }{{0, 0, 3010}, {1, 3009, 1}, {5, 3005, 5}, {6, 3004, 6}, {10, 3000, 10}, {11, 2999, 11}, {2500, 510, 2500}, {5000, 0, 3010}} {
		lines := collect(t, Files{path, plain}, Query{Tail: tt.tail})
		if len(lines) != tt.count || lines[0] != fmt.Sprintf("line %d", tt.first) || lines[len(lines)-1] != "line 3009" {
			t.Errorf("tail %d: %d lines from %q to %q", tt.tail, len(lines), lines[0], lines[len(lines)-1])
		}
	}
	if lines := collect(t, Files{path + ".none", plain}, Query{Tail: 3}); len(lines) != 0 {
		t.Error(lines)
	}
}

func TestLongLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	write(t, path, "a\n"+strings.Repeat("x", 1<<20)+"\nb\n")
	lines := collect(t, Files{path, plain}, Query{})
	if len(lines) != 3 || len(lines[1]) != maxLineBytes || lines[2] != "b" {
		t.Errorf("%d lines", len(lines))
	}
	if lines := collect(t, Files{path, plain}, Query{Tail: 2}); len(lines) != 2 || lines[1] != "b" {
		t.Errorf("%d lines", len(lines))
	}
}

// TestFollowRotation reads while a log is rotated, at every place of the reader.
func TestFollowRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	c := Files{path, plain}.Cursor(Query{Tail: 2, Follow: true})
	defer c.Close()
	var got []string
	drain := func() {
		for {
			e, ok, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			got = append(got, e.Line)
		}
	}
	rotate := func() {
		os.Rename(path+".1", path+".2")
		os.Rename(path, path+".1")
	}
	drain() // nothing is there yet
	write(t, path, numbered(0, 3))
	drain()
	write(t, path, "li")
	drain() // half a line
	write(t, path, "ne 3\n")
	write(t, path, "line 4\n") // not read before the rotation
	rotate()
	drain() // in the middle of a rotation
	write(t, path, "line 5\n")
	rotate() // twice between two looks
	write(t, path, "line 6\n")
	drain()
	if want := strings.Split(strings.TrimSpace(numbered(0, 7)), "\n"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	write(t, path, "a\n")
	ctx, cancel := context.WithCancel(context.Background())
	err := Files{path, plain}.Read(ctx, Query{Follow: true}, func(Entry) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestMerged(t *testing.T) {
	dir := t.TempDir()
	timed := func(line []byte) Entry {
		e := DecodeCRI(line)
		return e
	}
	at := func(s int, text string) string {
		return time.Unix(int64(s), 0).UTC().Format(time.RFC3339) + " stdout F " + text + "\n"
	}
	a, b := Files{filepath.Join(dir, "a"), timed}, Files{filepath.Join(dir, "b"), timed}
	write(t, a.Path, at(1, "1")+at(4, "4")+at(5, "5"))
	write(t, b.Path, at(2, "2")+at(3, "3")+at(6, "6"))
	for _, tt := range []struct {
		q    Query
		want string
	}{{Query{}, "123456"}, {Query{Tail: 2}, "56"}, {Query{Tail: 4}, "3456"}, {Query{Tail: 9}, "123456"}, {Query{Since: time.Unix(4, 0)}, "456"}} {
		var got string
		err := ReadMerged(context.Background(), tt.q, func(e Entry) error { got += e.Line; return nil }, a, b)
		if err != nil || got != tt.want {
			t.Errorf("%+v: %q, want %q (%v)", tt.q, got, tt.want, err)
		}
	}
}
