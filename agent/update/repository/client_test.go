package repository

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/fault"
)

func TestRefresh(t *testing.T) {
	f := newForge(t)
	m := newMachine(t, f.files["metadata/1.root.json"])
	targets := m.mustRefresh(f.files)
	if versions(targets) != "1.1.0" || !targets.Expires.Equal(later) || targets.List[0].Path != "targets/"+targets.List[0].SHA256+".web_1.1.0_x86_64.bundle" {
		t.Fatalf("%+v", targets)
	}
	// Nothing new: only what tells that is read, and nothing is written.
	if targets := m.mustRefresh(files{"metadata/timestamp.json": f.files["metadata/timestamp.json"]}); versions(targets) != "1.1.0" {
		t.Fatalf("%+v", targets)
	}
	f.addBundle("1.2.0", nil)
	f.publish()
	m.restart(f.files["metadata/1.root.json"])
	if targets := m.mustRefresh(f.files); versions(targets) != "1.1.0 1.2.0" {
		t.Fatalf("%+v", targets)
	}
}

func TestOpenRefusesARootThatIsNone(t *testing.T) {
	f := newForge(t)
	f.inconsistentSnapshots = true
	for name, root := range map[string][]byte{
		"nothing": nil, "no JSON": []byte("root"), "null": []byte("null"), "another role": f.files["metadata/timestamp.json"],
		"torn": f.files["metadata/1.root.json"][:500], "without consistent snapshots": f.publishRoot(),
		"changed": []byte(strings.Replace(string(f.files["metadata/1.root.json"]), `"version":1`, `"version":2`, 1)),
	} {
		if _, err := Open(Options{Root: root}); err == nil || !strings.HasPrefix(err.Error(), "cannot use the image's root of trust: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClock(t *testing.T) {
	f := newForge(t)
	root := f.files["metadata/1.root.json"]
	t.Run("expired", func(t *testing.T) {
		m := newMachine(t, root)
		m.now = later.Add(time.Second)
		m.mustRefuse(f.files, "root.json is expired; it is 2026-12-20T12:00:01Z here")
		if _, err := m.Refresh(t.Context(), f.files); fault.KindOf(err) != fault.Precondition {
			t.Error(fault.KindOf(err))
		}
	})
	t.Run("before the build", func(t *testing.T) {
		m := newMachine(t, root)
		m.o.BuildTime = later.Add(time.Hour)
		m.restart(root)
		m.now, m.doubt = time.Unix(0, 0), "not synchronised: no time servers"
		m.mustRefuse(f.files, "expired; it is 2026-12-20T13:00:00Z here, and the clock is in doubt: not synchronised: no time servers")
	})
	t.Run("earlier than it was", func(t *testing.T) {
		m := newMachine(t, root)
		m.mustRefresh(f.files)
		old := f.snap()
		f.expires = later.Add(1000 * time.Hour)
		f.rootExpires = f.expires
		f.publishRoot()
		f.publish()
		m.now = later.Add(time.Hour)
		m.mustRefresh(f.files)
		m.now, m.doubt = today, "not synchronised"
		old["metadata/timestamp.json"] = f.files["metadata/timestamp.json"]
		if targets := m.mustRefresh(f.files); targets.ClockDoubt != "not synchronised" {
			t.Errorf("%+v", targets)
		}
		m.now = later.Add(2000 * time.Hour)
		m.mustRefuse(f.files, "the clock is in doubt: not synchronised")
	})
}

func TestNoAnswer(t *testing.T) {
	f := newForge(t)
	m := newMachine(t, f.files["metadata/1.root.json"])
	for _, missing := range []string{"metadata/timestamp.json", "metadata/1.snapshot.json", "metadata/1.targets.json"} {
		without := f.snap()
		delete(without, missing)
		_, err := m.Refresh(t.Context(), without)
		if want := `cannot read "` + missing + `" of the test's repository: not found`; err == nil || err.Error() != want || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%v, %s", err, fault.KindOf(err))
		}
	}
}

// stuck is a source that says nothing until the context ends.
type stuck struct {
	files
	asked chan struct{}
}

func (s stuck) Open(ctx context.Context, _ string, _, _ int64) (io.ReadCloser, error) {
	close(s.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestRefreshesTakeTurns: the second one waits no longer than its context.
func TestRefreshesTakeTurns(t *testing.T) {
	f := newForge(t)
	m := newMachine(t, f.files["metadata/1.root.json"])
	first, endFirst := context.WithCancel(t.Context())
	s, done := stuck{asked: make(chan struct{})}, make(chan error)
	go func() { _, err := m.Refresh(first, s); done <- err }()
	<-s.asked
	second, endSecond := context.WithCancel(t.Context())
	endSecond()
	if _, err := m.Refresh(second, f.files); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	endFirst()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	m.mustRefresh(f.files)
}

// wild is a source that panics.
type wild struct{ files }

func (wild) Open(context.Context, string, int64, int64) (io.ReadCloser, error) { panic("wild") }

func TestPanicIsAnError(t *testing.T) {
	f := newForge(t)
	m := newMachine(t, f.files["metadata/1.root.json"])
	if _, err := m.Refresh(t.Context(), wild{}); fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "panic: wild") {
		t.Error(err)
	}
	m.mustRefresh(f.files)
}

// TestStateCannotBeKept: without floors nothing is taken; what a power cut left of an unfinished file is no hindrance.
func TestStateCannotBeKept(t *testing.T) {
	f := newForge(t)
	m := newMachine(t, f.files["metadata/1.root.json"])
	if err := os.WriteFile(m.store.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.mustRefuse(f.files, "cannot keep ")
	if err := os.Remove(m.store.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(m.store.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range keptFiles {
		if err := os.WriteFile(filepath.Join(m.store.dir, "."+name+".new"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.mustRefresh(f.files)
}
