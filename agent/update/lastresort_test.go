package update

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/server"
)

// TestLastResort: a new version whose manager cannot read the slots, or crashes, goes back; a good one that cannot does not restart for ever.
func TestLastResort(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.must(r.Stage(r.t.Context(), "", ""))
		r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
		r.end() // before anything changes that it looks at
		r.unreadable = errors.New("input/output error")
		r.reboot()
		time.Sleep(4 * time.Minute)
		r.restarts("")
		time.Sleep(3 * time.Minute)
		r.restarts("could not judge version 1.1.0 in time")
		r.end() // before anything changes that it looks at
		r.unreadable, r.prove = nil, func(context.Context, gatesOptions) (gatesVerdict, error) { panic("a mistake") }
		r.reboot()
		time.Sleep(7 * time.Minute)
		r.restarts("could not judge version 1.1.0 in time")
		r.prove = holds
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
		r.said("version 1.1.0 is rejected: the update manager could not judge version 1.1.0 in time")
		if _, err := os.Stat(r.records.pendingPath()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the request is still there: %v", err)
		}
		r.end() // before anything changes that it looks at
		r.unreadable = errors.New("input/output error")
		r.reboot()
		time.Sleep(time.Hour)
		r.restarts("")
	})
}

// TestRequestOutlivesTheManager: one that is started again while the machine goes down does not forget what was asked for.
func TestRequestOutlivesTheManager(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.must(r.Stage(r.t.Context(), "", ""))
		r.must(r.Apply(r.t.Context(), "CN=alice", server.ApplyRequest{RequireConfirmation: true}))
		r.again()
		asked := false
		r.prove = func(ctx context.Context, o gatesOptions) (gatesVerdict, error) {
			asked = o.RequireConfirmation
			return holds(ctx, o)
		}
		r.reboot()
		if !asked {
			t.Error("the version commits without the word that it was to wait for")
		}
		synctest.Wait()
	})
}
