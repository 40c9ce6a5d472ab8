package dmlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const sector = 512

// builder writes logs as QEMU and Linux do.
type builder struct {
	bytes.Buffer
	count uint64
}

func (b *builder) add(at, sectors uint64, flags Flags, data string) {
	entry := make([]byte, sector)
	le := binary.LittleEndian
	le.PutUint64(entry, at)
	le.PutUint64(entry[8:], sectors)
	le.PutUint64(entry[16:], uint64(flags))
	if flags&Mark != 0 {
		le.PutUint64(entry[24:], uint64(len(data)))
		copy(entry[entryBytes:], data)
	}
	b.Write(entry)
	if flags&(Mark|Discard) == 0 && sectors > 0 {
		b.Write(bytes.Repeat([]byte(data), int(sectors)*sector)[:int(sectors)*sector])
	}
	b.count++
}

func (b *builder) log() []byte {
	super := make([]byte, sector)
	le := binary.LittleEndian
	le.PutUint64(super, magic)
	le.PutUint64(super[8:], version)
	le.PutUint64(super[16:], b.count)
	le.PutUint32(super[24:], sector)
	return append(super, b.Bytes()...)
}

func sample() []byte {
	var b builder
	b.add(1, 2, 0, "a")
	b.add(0, 0, Flush, "")
	b.add(0, 0, Mark, "staged")
	b.add(2, 1, Flush|FUA, "b")
	b.add(1, 1, Discard, "")
	b.add(3, 1, Metadata, "c")
	return b.log()
}

func TestReadAndReplay(t *testing.T) {
	content := sample()
	log, err := Read(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Entries) != 6 || log.Entries[2].Text != "staged" || log.Entries[3].Flags != Flush|FUA || log.Entries[4].Bytes != sector {
		t.Fatalf("%+v", log.Entries)
	}
	dir := t.TempDir()
	base := filepath.Join(dir, "base")
	if err := os.WriteFile(base, bytes.Repeat([]byte("."), 5*sector), 0o644); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{".....", ".aa..", ".aa..", ".aa..", ".ab..", ".\x00b..", ".\x00bc."} {
		to := filepath.Join(dir, "disk")
		if err := log.Replay(context.Background(), to, base, n); err != nil {
			t.Fatal(err)
		}
		disk, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for part := range slices.Chunk(disk, sector) {
			if bytes.Count(part, part[:1]) == sector {
				got = append(got, part[0])
			}
		}
		if string(got) != want {
			t.Errorf("after %d entries: %q, not %q", n, got, want)
		}
		os.Remove(to)
	}
}

func TestReadRefuses(t *testing.T) {
	good := sample()
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":               func(b []byte) []byte { return nil },
		"magic":               func(b []byte) []byte { b[0]++; return b },
		"version":             func(b []byte) []byte { b[8]++; return b },
		"too many entries":    func(b []byte) []byte { b[16]++; return b },
		"millions of entries": func(b []byte) []byte { b[20]++; return b },
		"sector size":         func(b []byte) []byte { b[24]++; return b },
		"huge write":          func(b []byte) []byte { b[sector+13] = 1; return b },
		"long write":          func(b []byte) []byte { b[sector+10] = 1; return b },
		"cut data":            func(b []byte) []byte { return b[:len(b)-1] },
		"long mark":           func(b []byte) []byte { b[5*sector+25] = 4; return b },
	} {
		b := spoil(bytes.Clone(good))
		if log, err := Read(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: %+v", name, log.Entries)
		}
	}
}

func TestPoints(t *testing.T) {
	var b builder
	for i := range uint64(40) {
		b.add(i, 1, 0, "x")
		if i%4 == 3 {
			b.add(0, 0, Flush, "")
		}
	}
	log, err := Read(bytes.NewReader(b.log()), int64(b.Len()+sector))
	if err != nil {
		t.Fatal(err)
	}
	classes := log.Classify(func(e Entry) string { // the first eight sectors, and the rest
		if e.Offset < 8*sector {
			return "few"
		}
		return "many"
	})
	if classes[9] != "few" || classes[10] != "many" {
		t.Errorf("a flush is not of the class before it: %q", classes)
	}
	points := log.Points(9, 1, classes, []string{"few", "few", "few", "many"})
	count := map[string]int{}
	for i, p := range points {
		if i > 0 && p.Entries <= points[i-1].Entries {
			t.Errorf("%+v", points)
		}
		if p.Flushed {
			count["flushed"]++
		}
		count[p.Class]++
	}
	if len(points) != 9 || count["few"] != 6 || count["many"] != 3 || points[8].Entries != 50 || count["flushed"] < 3 {
		t.Errorf("%v %+v", count, points)
	}
	if !slices.Equal(points, log.Points(9, 1, classes, []string{"few", "few", "few", "many"})) {
		t.Error("points are not repeatable")
	}
	if all := log.Points(1000, 1, classes, []string{"few", "many"}); len(all) != 50 {
		t.Errorf("%d moments of 50", len(all))
	}
	if log.Points(0, 1, classes, nil) != nil || len(log.Points(3, 1, classes, nil)) != 1 {
		t.Error("points of no class")
	}
}

// FuzzRead: reading ends, and what was read can be applied.
func FuzzRead(f *testing.F) {
	f.Add(sample())
	f.Add(sample()[:superBytes])
	f.Fuzz(func(t *testing.T, b []byte) {
		log, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if err := log.Apply(nowhere{}, len(log.Entries)); err != nil {
			t.Fatal(err)
		}
	})
}

type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) Discard(_, _ int64) error               { return nil }
