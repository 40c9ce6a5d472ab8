package powercut

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/block"
)

const sector = 512

func disk() *block.Memory { return block.NewMemory(64*sector, sector) }

// record returns what a program writes to a copy of base.
func record(t *testing.T, base *block.Memory, program func(*Recorder)) Log {
	t.Helper()
	r := Record(base.Clone())
	program(r)
	return r.Log()
}

func write(r *Recorder, at int64, b byte, n int) {
	if _, err := r.WriteAt(bytes.Repeat([]byte{b}, n), at); err != nil {
		panic(err)
	}
}

func flush(r *Recorder) {
	if err := r.Flush(); err != nil {
		panic(err)
	}
}

// read gives one byte a sector, '?' for a sector that is not of one byte.
func read(d *block.Memory, from, to int64) string {
	var s strings.Builder
	b := make([]byte, sector)
	for i := from; i < to; i++ {
		if _, err := d.ReadAt(b, i*sector); err != nil {
			panic(err)
		}
		switch {
		case bytes.Count(b, b[:1]) != sector:
			s.WriteByte('?')
		case b[0] == 0:
			s.WriteByte('.')
		default:
			s.WriteByte(b[0])
		}
	}
	return s.String()
}

// seen explores and returns the disks with their count.
func seen(t *testing.T, log Log, o Options, from, to int64) (map[string]int, Stats) {
	t.Helper()
	all := map[string]int{}
	stats, err := Explore(disk(), log, o, func(s State) error {
		all[read(s.Disk, from, to)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, stats
}

func TestAllSubsetsOfAWindow(t *testing.T) {
	log := record(t, disk(), func(r *Recorder) {
		write(r, 0, 'a', sector)
		write(r, sector, 'b', sector)
		write(r, 2*sector, 'c', sector)
		flush(r)
		write(r, 3*sector, 'd', sector)
	})
	got, stats := seen(t, log, Options{}, 0, 4)
	for _, want := range []string{"....", "a...", ".b..", "ab..", "..c.", "a.c.", ".bc.", "abc.", "abcd"} {
		if got[want] != 1 {
			t.Errorf("%s: %d times", want, got[want])
		}
		delete(got, want)
	}
	if len(got) > 0 || stats.States != 9 || stats.Windows != 2 || stats.Writes != 4 {
		t.Errorf("%v besides, %s", got, stats)
	}
}

func TestAWriteIsNotAtomic(t *testing.T) {
	log := record(t, disk(), func(r *Recorder) { write(r, 0, 'a', 3*sector) })
	got, _ := seen(t, log, Options{}, 0, 3)
	for _, want := range []string{"...", "a..", ".a.", "aa.", "..a", "a.a", ".aa", "aaa"} {
		if got[want] != 1 {
			t.Errorf("%s: %d times", want, got[want])
		}
	}
}

func TestManyWrites(t *testing.T) {
	const n = 20
	log := record(t, disk(), func(r *Recorder) {
		for i := range int64(n) {
			write(r, i*sector, 'a'+byte(i), sector)
		}
		flush(r)
	})
	got, stats := seen(t, log, Options{}, 0, n)
	whole := "abcdefghijklmnopqrst"
	for i := range n {
		missing, alone := []byte(whole), []byte(strings.Repeat(".", n))
		missing[i], alone[i] = '.', whole[i]
		for _, want := range []string{whole[:i] + strings.Repeat(".", n-i), string(missing), string(alone)} {
			if got[want] != 1 {
				t.Errorf("%s: %d times", want, got[want])
			}
		}
	}
	if stats.Subsets < 40 {
		t.Error(stats)
	}
}

func TestUnchangedSectorsMakeNoStates(t *testing.T) {
	base := disk()
	write(Record(base), 0, 'a', 32*sector)
	log := record(t, base, func(r *Recorder) {
		image := bytes.Repeat([]byte{'a'}, 32*sector)
		image[5*sector] = 'b'
		if _, err := r.WriteAt(image, 0); err != nil {
			t.Fatal(err)
		}
	})
	stats, err := Explore(base, log, Options{}, func(State) error { return nil })
	if err != nil || stats.States != 2 {
		t.Errorf("%v, %v", stats, err)
	}
}

func TestTornSectors(t *testing.T) {
	log := record(t, disk(), func(r *Recorder) { write(r, sector, 'a', sector) })
	halves := map[string]bool{}
	stats, err := Explore(disk(), log, Options{Torn: true}, func(s State) error {
		b := make([]byte, sector)
		if _, err := s.Disk.ReadAt(b, sector); err != nil {
			return err
		}
		halves[fmt.Sprintf("%d/%d", bytes.Count(b[:256], []byte("a")), bytes.Count(b[256:], []byte("a")))] = true
		return nil
	})
	if err != nil || stats.Torn != 2*len(splits)+randomMixes || !halves["256/0"] || !halves["0/256"] || !halves["1/0"] || !halves["0/1"] {
		t.Errorf("%v %v %v", stats, err, halves)
	}
}

// A record of two sectors, its copy, and a reader that takes what is whole: right with a flush between, wrong without.
func TestFindsTheMissingFlush(t *testing.T) {
	base := disk()
	write(Record(base), 0, 'o', 4*sector)
	judge := func(s State) error {
		if d := read(s.Disk, 0, 4); d[:2] != "oo" && d[:2] != "nn" && d[2:] != "oo" && d[2:] != "nn" {
			return errors.New(d)
		}
		return nil
	}
	for _, between := range []bool{true, false} {
		log := record(t, base, func(r *Recorder) {
			r.Step("copy")
			write(r, 2*sector, 'n', 2*sector)
			if between {
				flush(r)
			}
			r.Step("original")
			write(r, 0, 'n', 2*sector)
			flush(r)
		})
		_, err := Explore(base, log, Options{Seed: 7, Torn: true}, judge)
		if between != (err == nil) {
			t.Fatalf("flush between %t: %v", between, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "seed 7, state ") || !strings.Contains(err.Error(), "(operations 0 to 1, original): write 0")) {
			t.Error(err)
		}
	}
}

func TestSameSeedSameStates(t *testing.T) {
	log := record(t, disk(), func(r *Recorder) {
		for i := range int64(12) {
			write(r, i*3*sector, 'a', 3*sector)
		}
	})
	list := func(o Options) (words []string) {
		if _, err := Explore(disk(), log, o, func(s State) error { words = append(words, s.String()); return nil }); err != nil {
			t.Fatal(err)
		}
		return words
	}
	first, again, other := list(Options{Seed: 1, Torn: true}), list(Options{Seed: 1, Torn: true}), list(Options{Seed: 2, Torn: true})
	if strings.Join(first, "\n") != strings.Join(again, "\n") || strings.Join(first, "\n") == strings.Join(other, "\n") {
		t.Error("the states do not follow the seed")
	}
	if one := list(Options{Seed: 1, Torn: true, Only: 50}); len(one) != 1 || one[0] != first[49] {
		t.Errorf("state 50 alone: %q, not %q", one, first[49])
	}
}

func TestRecorderNotesWhatSucceeded(t *testing.T) {
	r := Record(disk())
	if _, err := r.WriteAt([]byte{1}, 64*sector); err == nil || len(r.Log()) != 0 {
		t.Error("a write outside of the device is in the log")
	}
	part, err := block.Section(r, 10*sector, 4*sector)
	if err != nil {
		t.Fatal(err)
	}
	flush(r)
	if _, err := part.WriteAt([]byte{1, 2}, 3); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(part.Flush(), part.Flush()); err != nil {
		t.Fatal(err)
	}
	if log := r.Log(); len(log) != 2 || log[0].Offset != 10*sector+3 || !log[1].Flush() || log.Writes() != 1 {
		t.Errorf("%+v", log)
	}
}

func BenchmarkExplore(b *testing.B) {
	base := block.NewMemory(64<<20, sector)
	r := Record(base.Clone())
	for i := range int64(16) {
		write(r, i<<16, 'a', 4096)
	}
	flush(r)
	states := 0
	for b.Loop() {
		stats, err := Explore(base, r.Log(), Options{Torn: true}, func(State) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		states += stats.States
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(states), "µs/state")
}
