package update

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/bundle"
)

// decoderOutside makes the one decoder that all chunks share before the first bubble: what was made in one bubble cannot be used in another.
var decoderOutside = sync.OnceFunc(func() {
	content, info := slotstest.Bundle(&testing.T{}, slotstest.Make(&testing.T{}, "0.0.1", 4096))
	index, err := bundle.ReadTable(content[info.Table.Offset:][:info.Table.Length], info)
	if err != nil {
		panic(err)
	}
	for c := range index.Chunks() {
		if _, err := c.Open(content[c.FileOffset:][:c.FrameBytes], make([]byte, bundle.ChunkBytes)); err != nil {
			panic(err)
		}
	}
})

// in runs a test in a bubble of fake time.
func in(t *testing.T, versions []string, f func(*rig)) {
	t.Helper()
	decoderOutside()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, versions...)
		r.boot()
		f(r)
		r.end()
	})
}

func TestUpdate(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		ctx := r.t.Context()
		found, err := r.Check(ctx)
		r.must(err)
		if found.Available != "1.1.0" || found.Running != "1.0.0" || !slices.Equal(found.Versions, []string{"1.1.0"}) {
			t.Errorf("%+v", found)
		}
		r.must(r.Stage(ctx, "CN=alice", ""))
		r.shows("a committed 1.0.0, b staged 1.1.0")
		r.must(r.Stage(ctx, "CN=alice", "1.1.0")) // it is there
		r.must(r.Apply(ctx, "CN=alice", server.ApplyRequest{Version: "1.1.0", Reason: "ticket 7"}))
		r.restarts("update to version 1.1.0 for CN=alice")
		if !slices.Equal(r.copied, []string{"a to b"}) {
			t.Errorf("the state was copied %v", r.copied)
		}
		if err := r.Apply(ctx, "CN=alice", server.ApplyRequest{}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("applied twice: %v", err)
		}
		r.reboot()
		r.shows("a committed 1.0.0, b committed 1.1.0")
		r.said("version 1.1.0 is committed")
		r.restarts("")
		if s := r.story(0); s.Why != "update from 1.0.0" || s.AskedBy != "CN=alice" || !s.Committed {
			t.Errorf("%+v", s)
		}
		if s := r.story(1); s.Outcome != state.OutcomeRestarted || s.Reason != "update to 1.1.0" {
			t.Errorf("%+v", s)
		}
		if _, err := os.Stat(filepath.Join(r.dir, "update/pending.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the request is still there: %v", err)
		}
	})
}

func TestRejectedVersionByName(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		ctx := r.t.Context()
		r.must(r.Stage(ctx, "", ""))
		r.must(r.Apply(ctx, "", server.ApplyRequest{}))
		r.prove = breaks
		r.reboot()
		r.restarts("version 1.1.0 is rejected: the network is not up")
		r.prove = holds
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
		if s := r.story(0); s.Why != "back from 1.1.0: the network is not up" {
			t.Errorf("%+v", s)
		}
		if s := r.story(1); s.Outcome != state.OutcomeRejected || len(s.Gates) != 1 {
			t.Errorf("%+v", s)
		}
		if u, _ := r.machine.Update.Get(); len(u.Rejected) != 1 || u.Slots[1].Reason != "the network is not up" {
			t.Errorf("%+v", u)
		}
		found, err := r.Check(ctx)
		if err != nil || found.Available != "" || !strings.Contains(found.Reason, "rejected it: the network is not up") {
			t.Errorf("%+v, %v", found, err)
		}
		if err := r.Stage(ctx, "", ""); fault.KindOf(err) != fault.Precondition {
			t.Errorf("it is taken again: %v", err)
		}
		r.must(r.Stage(ctx, "", "1.1.0"))
		r.shows("a committed 1.0.0, b staged 1.1.0")
		r.must(r.Apply(ctx, "", server.ApplyRequest{}))
		r.reboot()
		r.shows("a committed 1.0.0, b committed 1.1.0")
		if u, _ := r.machine.Update.Get(); len(u.Rejected) != 0 || !u.Committed {
			t.Errorf("%+v", u)
		}
	})
}

// TestNoAgent: the loader uses up the tries, and the agent of the new version never runs.
func TestNoAgent(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.must(r.Stage(r.t.Context(), "", ""))
		r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
		slotstest.Load(t, r.disk)
		slotstest.Load(t, r.disk)
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
		r.said("version 1.1.0 is rejected: the agent never ran in 2 tries")
		if s := r.story(1); s.Outcome != state.OutcomeNoAgent || s.Version != "1.1.0" {
			t.Errorf("%+v", s)
		}
		r.reboot()
		if u, _ := r.machine.Update.Get(); len(u.Rejected) != 1 {
			t.Errorf("it is noted again: %+v", u.Rejected)
		}
	})
}

// TestHang: a version that hung once is not given another watchdog time-out.
func TestHang(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.must(r.Stage(r.t.Context(), "", ""))
		r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
		r.prove = waits
		r.reboot()
		r.restarts("")
		r.end()
		r.hung = true
		r.boot()
		r.restarts("version 1.1.0 is rejected: its first try hung")
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
	})
}

// TestPowerCutOnProbation: a boot that just ended may have been a power cut; the version gets its second try.
func TestPowerCutOnProbation(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.must(r.Stage(r.t.Context(), "", ""))
		r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
		r.prove = waits
		r.reboot()
		r.prove = holds
		r.reboot()
		r.shows("a committed 1.0.0, b committed 1.1.0")
		if s := r.story(1); s.Outcome != state.OutcomeLost {
			t.Errorf("%+v", s)
		}
	})
}

// TestCleanRestartIsNoHang: a version on probation that someone restarts goes on.
func TestCleanRestartIsNoHang(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.must(r.Stage(r.t.Context(), "", ""))
		r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
		r.prove = waits
		r.reboot()
		r.machine.Shutdown.Set(state.Shutdown{Reason: "CN=bob asked"})
		synctest.Wait()
		r.prove = holds
		r.reboot()
		r.shows("a committed 1.0.0, b committed 1.1.0")
		if s := r.story(1); s.Outcome != state.OutcomeRestarted || s.Reason != "CN=bob asked" {
			t.Errorf("%+v", s)
		}
	})
}

func TestConfirmation(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		ctx := r.t.Context()
		r.must(r.Stage(ctx, "", ""))
		r.must(r.Apply(ctx, "", server.ApplyRequest{RequireConfirmation: true}))
		r.prove = func(ctx context.Context, o gatesOptions) (gatesVerdict, error) {
			if !o.RequireConfirmation {
				t.Error("no confirmation is asked for")
			}
			for {
				by, given, changed := o.Confirmation.Watch()
				if given && by == "CN=carol" {
					return holds(ctx, o)
				}
				<-changed
			}
		}
		r.reboot()
		r.shows("a committed 1.0.0, b trying 1.1.0")
		if err := r.Commit(ctx, "CN=carol", "1.2.0"); fault.KindOf(err) != fault.Aborted {
			t.Errorf("another version is confirmed: %v", err)
		}
		r.must(r.Commit(ctx, "CN=carol", "1.1.0"))
		synctest.Wait()
		r.shows("a committed 1.0.0, b committed 1.1.0")
		r.must(r.Commit(ctx, "CN=carol", ""))
	})
}
