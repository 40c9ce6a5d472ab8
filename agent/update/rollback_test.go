package update

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

func TestRollback(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		ctx := r.t.Context()
		if _, err := r.Rollback(ctx, "CN=alice", server.RollbackRequest{}); fault.KindOf(err) != fault.Precondition {
			t.Errorf("rolled back to nothing: %v", err)
		}
		r.must(r.Stage(ctx, "", ""))
		r.must(r.Apply(ctx, "", server.ApplyRequest{}))
		r.reboot()
		to, err := r.Rollback(ctx, "CN=alice", server.RollbackRequest{Reason: "too slow"})
		r.must(err)
		if to != "1.0.0" {
			t.Errorf("to %q", to)
		}
		r.restarts("rollback to version 1.0.0 for CN=alice")
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
		if s := r.story(0); s.Why != "rollback from 1.1.0" || s.AskedBy != "CN=alice" {
			t.Errorf("%+v", s)
		}
		if s := r.story(1); s.Outcome != state.OutcomeRolledBack || s.Reason != "rolled back by CN=alice: too slow" {
			t.Errorf("%+v", s)
		}
		if u, _ := r.machine.Update.Get(); u.Slots[1].Reason != "rolled back by CN=alice: too slow" {
			t.Errorf("%+v", u.Slots)
		}
	})
}

func TestRollbackOnProbation(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		ctx := r.t.Context()
		r.must(r.Stage(ctx, "", ""))
		r.must(r.Apply(ctx, "", server.ApplyRequest{}))
		r.prove = waits
		r.reboot()
		if err := r.Stage(ctx, "", ""); fault.KindOf(err) != fault.Precondition {
			t.Errorf("staged on probation: %v", err)
		}
		to, err := r.Rollback(ctx, "CN=alice", server.RollbackRequest{})
		r.must(err)
		if to != "1.0.0" {
			t.Errorf("to %q", to)
		}
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
	})
}

// TestNowhereToGo: after a rollback to a version that does not hold either, the loader has only bad entries and takes the newest one.
func TestNowhereToGo(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		ctx := r.t.Context()
		r.must(r.Stage(ctx, "", ""))
		r.must(r.Apply(ctx, "", server.ApplyRequest{}))
		r.reboot()
		_, err := r.Rollback(ctx, "", server.RollbackRequest{})
		r.must(err)
		r.prove = breaks
		r.reboot()
		r.restarts("version 1.0.0 is rejected") // 1.1.0 is newer: the loader takes it
		held, asked := make(chan struct{}), 0
		r.prove = func(ctx context.Context, o gatesOptions) (gatesVerdict, error) {
			asked++
			if !o.Endless {
				t.Error("the probation has an end")
			}
			o.Publish([]state.Gate{{Name: "network", State: "waiting", Reason: "no address yet"}}, time.Time{})
			select {
			case <-held:
				return holds(ctx, o)
			case <-ctx.Done():
				return gatesVerdict{}, ctx.Err()
			}
		}
		r.reboot()
		r.shows("a rejected 1.0.0, b trying 1.1.0")
		r.said("there is no version to go back to")
		time.Sleep(remindEvery + time.Second)
		r.said("there is none to go back to: network: no address yet")
		r.restarts("")
		if asked != 1 {
			t.Errorf("the gates were begun %d times: a probation that is longer than the time between two words would never end", asked)
		}
		close(held)
		synctest.Wait()
		r.shows("a rejected 1.0.0, b committed 1.1.0")
	})
}
