package story

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/atomicfile"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *Book {
	t.Helper()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return noon }
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ids(b *Book) string {
	var list []string
	for _, s := range b.List() {
		list = append(list, s.ID)
	}
	return strings.Join(list, " ")
}

func TestBook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "boots")
	b := open(t, dir)
	check(t, b.Update(nil, true)) // before Begin there is nothing to change
	check(t, b.Begin(state.BootStory{ID: "one", Version: "1.0.0", Slot: "a"}))
	gates := []state.Gate{{Name: "settled", State: "held", Since: noon}}
	check(t, b.Update(gates, false))
	check(t, b.Update(gates, true))
	check(t, b.End(state.OutcomeRejected, "container web is not ready"))
	check(t, b.End(state.OutcomeRestarted, "too late"))
	want := []state.BootStory{{ID: "one", Version: "1.0.0", Slot: "a", Started: noon, Ended: noon, Committed: true,
		Outcome: state.OutcomeRejected, Reason: "container web is not ready", Gates: gates}}
	if got := b.List(); !reflect.DeepEqual(got, want) {
		t.Errorf("in memory: %+v", got)
	}
	if got := open(t, dir).List(); !reflect.DeepEqual(got, want) {
		t.Errorf("on disk: %+v", got)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A manager that is started again in the same boot goes on with its story.
func TestBeginAgain(t *testing.T) {
	dir := t.TempDir()
	check(t, open(t, dir).Begin(state.BootStory{ID: "one", Version: "1.0.0", Why: "first boot"}))
	b := open(t, dir)
	check(t, b.Begin(state.BootStory{ID: "one", Version: "1.0.0"}))
	check(t, b.Update(nil, true))
	list := open(t, dir).List()
	if len(list) != 1 || list[0].Why != "first boot" || !list[0].Committed {
		t.Errorf("%+v", list)
	}
}

func TestAddReplacesByID(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	check(t, b.Begin(state.BootStory{ID: "one"}))
	b = open(t, dir)
	check(t, b.Add(state.BootStory{ID: "one", Outcome: state.OutcomeLost}, state.BootStory{ID: "made-up", Outcome: state.OutcomeNoAgent}))
	check(t, b.Begin(state.BootStory{ID: "two"}))
	b = open(t, dir)
	if got := ids(b); got != "two made-up one" || b.List()[2].Outcome != state.OutcomeLost {
		t.Errorf("%s: %+v", got, b.List())
	}
}

// worst is a story in which every text is too long and every byte needs an escape.
func worst(id string) state.BootStory {
	long := strings.Repeat("\"", 100_000)
	s := state.BootStory{ID: id, Image: long, Version: long, Slot: long, AskedBy: long, Why: long, Outcome: state.Outcome(long), Reason: long,
		Panic: long, Started: noon.Add(1), Ended: noon.Add(1)}
	for range 200 {
		s.Gates = append(s.Gates, state.Gate{Name: long, State: long, Reason: long, Since: noon.Add(1)})
	}
	return s
}

func TestBookIsBounded(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	b.keep = func(path string, content []byte) error { return os.WriteFile(path, content, 0o600) } // flushing each one takes seconds
	for i := range maxBoots + 8 {
		s := worst(fmt.Sprint(i))
		s.Outcome = state.OutcomeRunning
		check(t, b.Begin(s))
		for n := range 20 { // more changes than a record has room for
			check(t, b.Update([]state.Gate{{Name: "settled", State: fmt.Sprint(n)}}, false))
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != maxBoots {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Size() > maxRecordBytes || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes, mode %v", f.Name(), info.Size(), info.Mode())
		}
	}
	newest := open(t, dir).List()[0]
	if newest.ID != fmt.Sprint(maxBoots+7) || len(newest.Panic) > maxPanicBytes {
		t.Errorf("newest is %q with %d bytes of panic text", newest.ID, len(newest.Panic))
	}
	if n := len(encodeLine(worst("x"))); n > maxRecordBytes {
		t.Errorf("the longest line has %d bytes", n)
	}
}

// Whatever the last line of a record has become, the others count; and what is added later does not hide behind a torn line.
func TestBookSurvivesTearing(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	check(t, b.Begin(state.BootStory{ID: "one"}))
	check(t, b.Update(nil, true))
	check(t, b.Begin(state.BootStory{ID: "two"}))
	path := b.path(b.entries[0].number)
	whole, err := os.ReadFile(path)
	check(t, err)
	first := strings.Index(string(whole), "\n") + 1
	for cut := range len(whole) {
		check(t, os.WriteFile(path, whole[:cut], 0o600))
		torn := open(t, dir)
		list := torn.List()
		switch {
		case cut < first-1 && (len(list) != 1 || torn.Torn() != 1):
			t.Fatalf("cut at %d: %+v", cut, list)
		case cut >= first-1 && (len(list) != 2 || list[1].Committed != (cut == len(whole)-1)):
			t.Fatalf("cut at %d: %+v", cut, list)
		case list[0].ID != "two":
			t.Fatalf("cut at %d: %+v", cut, list)
		}
	}
	check(t, os.WriteFile(path, append(whole[:first:first], make([]byte, 512)...), 0o600)) // a hole where the line should be
	again := open(t, dir)
	check(t, again.Add(state.BootStory{ID: "one", Outcome: state.OutcomeLost}))
	if list := open(t, dir).List(); len(list) != 2 || list[1].Outcome != state.OutcomeLost {
		t.Errorf("%+v", list)
	}
}

func TestBookOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	for i := range 6 {
		check(t, b.Begin(state.BootStory{ID: fmt.Sprint(i)}))
	}
	full := &os.PathError{Op: "write", Path: dir, Err: unix.ENOSPC}
	b.keep = func(path string, content []byte) error {
		if files, _ := filepath.Glob(filepath.Join(dir, "*"+suffix)); len(files) > 4 {
			return full
		}
		return atomicfile.Keep(path, content)
	}
	check(t, b.Begin(state.BootStory{ID: "new"}))
	if got := ids(open(t, dir)); got != "new 5 4 3 2" {
		t.Errorf("on disk: %s", got)
	}
	b.keep = func(string, []byte) error { return full }
	if err := b.Begin(state.BootStory{ID: "newer"}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if got := ids(b); got != "newer new 5 4" {
		t.Errorf("in memory: %s", got)
	}
	b.keep = atomicfile.Keep // room again
	check(t, b.Update(nil, false))
	if got := ids(open(t, dir)); got != "newer new 5 4" {
		t.Errorf("on disk: %s", got)
	}
}

func TestBookWithoutADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(path, nil, 0o600))
	b, err := Open(filepath.Join(path, "boots"))
	if err == nil {
		t.Error("no error")
	}
	if err := b.Begin(state.BootStory{ID: "one"}); err == nil {
		t.Error("no error")
	}
	if got := ids(b); got != "one" {
		t.Errorf("in memory: %s", got)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(encodeLine(state.BootStory{ID: "one", Started: noon}))
	f.Add([]byte("x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := decodeRecord(data)
		if !ok {
			return
		}
		line := encodeLine(s)
		if again, ok := decodeRecord(line); !ok || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v became %+v", s, again)
		}
		if len(line) > maxRecordBytes {
			t.Errorf("%d bytes", len(line))
		}
	})
}
