// Package logs reads a machine's logs for whoever is allowed to: the kernel's (/dev/kmsg), the agent's (Agent, in memory), and files that
// are rotated by renaming (Files): containers' output and the audit log.
//
// Every reader follows by asking again after a moment, without a descriptor or thread of its own beyond the open file. inotify was
// considered; it tells nothing on /dev/kmsg, loses events under load, and then one has to ask anyway.
//
// Invariants:
//   - What a reader holds in memory does not depend on the size of the log, nor on the longest line (TestTail, TestLongLines).
//   - A rotation while following neither loses nor repeats a line, as long as the files are there (TestFollowRotation).
package logs

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"
)

// Entry is one line.
type Entry struct {
	Time   time.Time // zero: unknown
	Stream string    // "stdout", "stderr" or empty
	Line   string
	// Partial: the line goes on in the next entry.
	Partial bool
}

// Query says which lines are wanted.
type Query struct {
	Tail   int // 0: all
	Follow bool
	Since  time.Time
}

// wants tells whether an entry is recent enough; one without time is.
func (q Query) wants(e Entry) bool {
	return q.Since.IsZero() || e.Time.IsZero() || !e.Time.Before(q.Since)
}

// pollPeriod is how often a follower asks.
const pollPeriod = 250 * time.Millisecond

// maxLineBytes is where a line of a file is cut. Containers' own bound is 16 KiB and some bytes in front.
const maxLineBytes = 20 << 10

// DecodeCRI reads one line of a container's log without its newline: "<RFC 3339 time> <stream> <F|P> <text>" (the Kubernetes CRI's format,
// KEP-1547 and cri-api v1). A line of another form is taken as it is.
func DecodeCRI(line []byte) Entry {
	stamp, rest, ok1 := bytes.Cut(line, []byte(" "))
	stream, rest, ok2 := bytes.Cut(rest, []byte(" "))
	tag, text, ok3 := bytes.Cut(rest, []byte(" "))
	if !ok3 { // an empty line may have lost its last space
		tag, text = rest, nil
	}
	when, err := time.Parse(time.RFC3339Nano, string(stamp))
	known := string(stream) == "stdout" || string(stream) == "stderr"
	if !ok1 || !ok2 || err != nil || !known || string(tag) != "F" && string(tag) != "P" {
		return Entry{Line: valid(line)}
	}
	return Entry{Time: when, Stream: string(stream), Line: valid(text), Partial: tag[0] == 'P'}
}

// valid makes text valid UTF-8, which is all that protobuf can carry.
func valid(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}
