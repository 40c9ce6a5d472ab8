package vm

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func splitAll(chunks ...string) []string {
	var s splitter
	var lines []string
	emit := func(line string) { lines = append(lines, line) }
	for _, chunk := range chunks {
		s.feed([]byte(chunk), emit)
	}
	s.flush(emit)
	return lines
}

func TestSplitter(t *testing.T) {
	cases := []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"carriage returns", []string{"one\r\ntwo\r\r\n"}, []string{"one", "two"}},
		{"across reads", []string{"o", "ne\ntw", "o"}, []string{"one", "two"}},
		{"colours", []string{"\x1b[1;31mred\x1b[0m\n"}, []string{"red"}},
		{"sequence across reads", []string{"a\x1b", "[3", "1mb\n"}, []string{"ab"}},
		{"cursor movement ends a line", []string{"\x1b[2J\x1b[01;01Hmenu\x1b[02;01Hentry\n"}, []string{"menu", "entry"}},
		{"title", []string{"\x1b]0;title\x07text\x1b]0;x\x1b\\\n"}, []string{"text"}},
		{"two-byte escape", []string{"\x1bcreset\n"}, []string{"reset"}},
		{"control and invalid bytes", []string{"a\x00\x07b\xff\n"}, []string{"ab\uFFFD"}},
		{"long line", []string{strings.Repeat("x", maxLineBytes+1) + "\n"}, []string{strings.Repeat("x", maxLineBytes), "x"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := splitAll(c.chunks...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte("plain\r\n\x1b[1mbold\x1b[0m\n\x1b]0;t\x07\xff\n"), 3)
	f.Fuzz(func(t *testing.T, input []byte, cut int) {
		cut = min(max(cut, 0), len(input))
		whole := splitAll(string(input))
		if parts := splitAll(string(input[:cut]), string(input[cut:])); !slices.Equal(whole, parts) {
			t.Fatalf("cut at %d: %q, whole: %q", cut, parts, whole)
		}
		for _, line := range whole {
			if len(line) > 3*maxLineBytes || strings.ContainsAny(line, "\x1b\n\r\x00") {
				t.Fatalf("line %q is too long or not plain", line)
			}
		}
	})
}

func testConsole(t *testing.T, deny, allow []string) *Console {
	t.Helper()
	c, err := newConsole(deny, allow, func() time.Time { return time.Unix(0, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExpectSeesPastAndFutureLines(t *testing.T) {
	c := testConsole(t, nil, nil)
	r, w := io.Pipe()
	go c.readFrom(r)
	if _, err := io.WriteString(w, "ready 1\nready 2\n"); err != nil {
		t.Fatal(err)
	}
	ready := regexp.MustCompile(`ready (\d)`)
	first, err := c.Expect(t.Context(), 0, ready)
	if err != nil || first.Groups[1] != "1" {
		t.Fatalf("first: %v, %v", first, err)
	}
	second, err := c.Expect(t.Context(), first.Index+1, ready)
	if err != nil || second.Groups[1] != "2" {
		t.Fatalf("second: %v, %v", second, err)
	}
	go func() { _, _ = io.WriteString(w, "noise\nready 3\n") }()
	third, err := c.Expect(t.Context(), second.Index+1, ready)
	if err != nil || third.Groups[1] != "3" {
		t.Fatalf("third: %v, %v", third, err)
	}
	w.Close()
	if _, err := c.Expect(t.Context(), third.Index+1, ready); err == nil || !strings.Contains(err.Error(), "has stopped") {
		t.Errorf("after the end: %v", err)
	}
}

func TestExpectEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := testConsole(t, nil, nil)
	c.add("something else")
	_, err := c.Expect(ctx, 0, regexp.MustCompile("never"))
	if err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("error %v does not show the last lines", err)
	}
}

func TestDeniedLineFailsAnExpectation(t *testing.T) {
	c := testConsole(t, KernelTrouble, []string{`Kernel panic - not syncing: expected`})
	c.add("Kernel panic - not syncing: expected")
	if err := c.Err(); err != nil {
		t.Errorf("an allowed line failed: %v", err)
	}
	c.add("[    1.0] Oops: 0002 [#1] SMP")
	if _, err := c.Expect(t.Context(), 0, regexp.MustCompile("never")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v, want the denied line", err)
	}
}

func TestKernelTrouble(t *testing.T) {
	cases := []struct {
		line   string
		denied bool
	}{
		{"[    2.1] Kernel panic - not syncing: dm-verity device corrupted", true},
		{"[    2.1] BUG: kernel NULL pointer dereference, address: 0000000000000000", true},
		{"[    2.1] WARNING: CPU: 1 PID: 1 at kernel/foo.c:12 foo+0x1/0x2", true},
		{"[    2.1] RIP: 0010:foo+0x1/0x2", true},
		{"[    2.1] device-mapper: verity: 254:2: data block 12 is corrupted", true},
		{"[    2.1] device-mapper: verity: sha256 using implementation \"sha256-avx2\"", false},
		{"[    2.1] device-mapper: init: dm-0 is ready", false},
		{"[    2.1] device-mapper: table: 254:0: verity: Data device lookup failed (-ENODEV)", true},
		{"[    2.1] EXT4-fs error (device vda6): ext4_lookup:1", true},
		{"[    2.1] EXT4-fs (vda6): mounted filesystem", false},
		{"[    2.1] EXT4-fs (vda6): re-mounted. Opts: errors=remount-ro", false},
		{"[    2.1] I/O error, dev vda, sector 12", true},
		{"[    2.1] Memory cgroup out of memory: Killed process 77 (demo)", false},
		{"[    2.1] RIP: 0033:0x47f", false},
		{"[    2.1] Out of memory: Killed process 77 (agent)", true},
		{"[    2.1] Segment Routing with IPv6", false},
		{"[    2.1] ACPI: PM: Preparing to enter system sleep state S5", false},
	}
	for _, c := range cases {
		console := testConsole(t, KernelTrouble, nil)
		console.add(c.line)
		if denied := console.Err() != nil; denied != c.denied {
			t.Errorf("%q: denied %v, want %v", c.line, denied, c.denied)
		}
	}
}

func TestConsoleForgetsOldLines(t *testing.T) {
	c := testConsole(t, nil, nil)
	line := strings.Repeat("x", 4<<10)
	for range 2 * maxConsoleBytes / len(line) {
		c.add(line)
	}
	lines := c.Lines(0)
	if c.bytes > maxConsoleBytes || len(lines) == 0 || lines[len(lines)-1].Index != c.Next()-1 {
		t.Errorf("%d bytes in %d lines are remembered, next index %d", c.bytes, len(lines), c.Next())
	}
}

func TestFollowHasNoGaps(t *testing.T) {
	c := testConsole(t, nil, nil)
	c.add("one")
	var got []string
	c.Follow(func(l Line) { got = append(got, l.Text) })
	c.add("two")
	if !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q", got)
	}
}
