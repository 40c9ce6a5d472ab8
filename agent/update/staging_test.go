package update

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/gates"
)

type (
	gatesOptions = gates.Options
	gatesVerdict = gates.Verdict
)

func TestOneActionAtATime(t *testing.T) {
	in(t, []string{"1.1.0", "1.2.0"}, func(r *rig) {
		r.repo.gate = make(chan struct{})
		leaving, leave := context.WithCancel(r.t.Context())
		results := make(chan error, 2)
		go func() { results <- r.Stage(leaving, "", "1.1.0") }()
		synctest.Wait()
		go func() { results <- r.Stage(r.t.Context(), "", "1.1.0") }()
		synctest.Wait()
		for what, err := range map[string]error{
			"another staging": r.Stage(r.t.Context(), "", "1.2.0"),
			"a push":          r.Push(r.t.Context(), "", "1.2.0", r.repo),
			"an application":  r.Apply(r.t.Context(), "", server.ApplyRequest{}),
		} {
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%s: %v", what, err)
			}
		}
		if u, _ := r.machine.Update.Get(); u.Activity != state.ActivityStaging {
			t.Errorf("%+v", u)
		}
		leave()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that left: %v", err)
		}
		close(r.repo.gate)
		r.must(<-results) // the other one joined
		r.shows("a committed 1.0.0, b staged 1.1.0")
		if u, _ := r.machine.Update.Get(); u.Activity != state.ActivityIdle || u.Progress.Phase != "done" || u.Progress.Done != u.Progress.Total {
			t.Errorf("%+v", u)
		}
	})
}

func TestCancel(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.gate = make(chan struct{})
		result := make(chan error, 1)
		go func() { result <- r.Stage(r.t.Context(), "", "") }()
		synctest.Wait()
		r.must(r.Cancel(r.t.Context()))
		if err := <-result; fault.KindOf(err) != fault.Aborted {
			t.Error(err)
		}
		r.must(r.Cancel(r.t.Context()))
		close(r.repo.gate)
		r.must(r.Stage(r.t.Context(), "", ""))
	})
}

// TestBrokenConnection: a staging goes on where the source broke, and ends when it gets nothing for too long.
func TestBrokenConnection(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.failures = 5
		r.must(r.Stage(r.t.Context(), "", ""))
		r.shows("a committed 1.0.0, b staged 1.1.0")
		r.said("connection reset")
	})
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.failures = 1 << 30
		begun := time.Now()
		if err := r.Stage(r.t.Context(), "", ""); fault.KindOf(err) != fault.Unavailable {
			t.Error(err)
		}
		if took := time.Since(begun); took < retryFor || took > 2*retryFor {
			t.Errorf("it was tried for %s", took)
		}
		r.repo.failures = 0
		r.must(r.Stage(r.t.Context(), "", ""))
	})
}

// TestPushEndsWithItsCaller: what was pushed so far stays in the slot.
func TestPushEndsWithItsCaller(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.gate = make(chan struct{})
		pushing, stop := context.WithCancel(r.t.Context())
		result := make(chan error, 1)
		go func() { result <- r.Push(pushing, "", "1.1.0", r.repo) }()
		synctest.Wait()
		stop()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(r.repo.gate)
		r.must(r.Push(r.t.Context(), "", "", r.repo))
		r.shows("a committed 1.0.0, b staged 1.1.0")
	})
}

// TestRestartWhileStaging: what came before the restart is not fetched again.
func TestRestartWhileStaging(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.works, r.repo.failures = 2, 1<<30 // table and hash tree come, the root does not
		result := make(chan error, 1)
		go func() { result <- r.Stage(r.t.Context(), "", "") }()
		synctest.Wait()
		r.shows("a committed 1.0.0, b writing")
		r.reboot()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		r.shows("a committed 1.0.0, b writing")
		r.repo.failures = 0
		r.must(r.Stage(r.t.Context(), "", ""))
		r.shows("a committed 1.0.0, b staged 1.1.0")
		if u, _ := r.machine.Update.Get(); u.Progress.Reused < r.known["1.1.0"].Info.Verity.Bytes {
			t.Errorf("the hash tree was fetched again: %+v", u.Progress)
		}
	})
}

// TestWithoutRecords: a /var that takes nothing costs the records only.
func TestWithoutRecords(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.end()
		r.dir = filepath.Join(r.t.TempDir(), "file")
		r.must(os.WriteFile(r.dir, nil, 0o600)) // no directory can be made below it
		r.boot()
		r.must(r.Stage(r.t.Context(), "", ""))
		if err := r.Apply(r.t.Context(), "", server.ApplyRequest{RequireConfirmation: true}); err == nil {
			t.Error("it would not wait for the word")
		}
		r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
		r.said("who asked for version 1.1.0 is not kept")
		r.prove = breaks
		r.reboot()
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
	})
}

// TestAlone: who changes the partition table beside the manager ends a staging, and comes through where the slots cannot be read.
func TestAlone(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.gate = make(chan struct{})
		result := make(chan error, 1)
		go func() { result <- r.Stage(r.t.Context(), "", "") }()
		synctest.Wait()
		err := r.Alone(r.t.Context(), "the reset", func() error {
			if err := r.Apply(r.t.Context(), "", server.ApplyRequest{}); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("an action beside it: %v", err)
			}
			return nil
		})
		r.must(err)
		if err := <-result; fault.KindOf(err) != fault.Aborted || err.Error() != "the staging was cancelled by the reset" {
			t.Error(err)
		}
		r.end() // before anything changes that it looks at
		r.unreadable = errors.New("input/output error")
		r.reboot()
		if err := r.Stage(r.t.Context(), "", ""); fault.KindOf(err) != fault.Unavailable || !strings.HasSuffix(err.Error(), "input/output error") {
			t.Errorf("staged without slots: %v", err)
		}
		r.must(r.Alone(r.t.Context(), "the reset", func() error { return nil }))
	})
}

// TestSameBeginningForEver: a server that sends what it has sent before, and then breaks off, does not keep a staging going.
func TestSameBeginningForEver(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.failures, r.repo.worksAnew = 1<<30, 1
		if err := r.Stage(r.t.Context(), "", ""); fault.KindOf(err) != fault.Unavailable {
			t.Error(err)
		}
	})
}
