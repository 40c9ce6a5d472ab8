package update

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

func TestNoDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.running = r.known["1.0.0"]
		r.machine = &state.Machine{}
		r.machine.Storage.Set(state.Storage{})
		o := r.options()
		o.Disk = func(context.Context) (string, error) { return "", nil }
		m := New(o)
		if err := m.Apply(r.t.Context(), "", server.ApplyRequest{}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("before the start: %v", err)
		}
		ctx, cancel := context.WithCancel(r.t.Context())
		ended := make(chan error)
		go func() { ended <- m.Run(ctx) }()
		synctest.Wait()
		if err := m.Apply(r.t.Context(), "", server.ApplyRequest{}); fault.KindOf(err) != fault.Precondition {
			t.Errorf("without a disk: %v", err)
		}
		if u, ok := r.machine.Update.Get(); !ok || !u.Committed || u.Slots != nil {
			t.Errorf("%+v", u)
		}
		cancel()
		<-ended
	})
}

func TestCheckInterval(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.machine.Network.Set(state.Network{Online: true})
		r.machine.Desired.Set(plan.Desired{Update: plan.Update{Repository: "http://127.0.0.1/", CheckInterval: time.Hour}})
		time.Sleep(150 * time.Minute)
		synctest.Wait()
		if u, _ := r.machine.Update.Get(); u.Available != "1.1.0" || u.CheckedAt.IsZero() || u.Activity != state.ActivityIdle {
			t.Errorf("%+v", u)
		}
	})
	for _, random := range []float64{0, 0.5, 0.99} {
		if d := jittered(time.Hour, random); d < 54*time.Minute || d > 66*time.Minute {
			t.Errorf("%s", d)
		}
	}
}

// TestRunAgain: a manager whose Run failed is started again by the supervisor.
func TestRunAgain(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.end()
		manager := r.Manager
		ctx, cancel := context.WithCancel(r.t.Context())
		ended := make(chan error)
		go func() { ended <- manager.Run(ctx) }()
		synctest.Wait()
		r.must(manager.Stage(r.t.Context(), "", ""))
		if list, _ := r.machine.Boots.Get(); len(list) != 1 {
			t.Errorf("%d stories are told", len(list))
		}
		cancel()
		<-ended
		r.boot()
	})
}

// TestChecksJoin: many who ask at the same time cost one question; one that leaves takes nobody along.
func TestChecksJoin(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.repo.hold = make(chan struct{})
		leaving, leave := context.WithCancel(r.t.Context())
		left := make(chan error)
		go func() { _, err := r.Check(leaving); left <- err }()
		synctest.Wait()
		found := make(chan string, 5)
		for range cap(found) {
			go func() { result, _ := r.Check(r.t.Context()); found <- result.Available }()
		}
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		close(r.repo.hold)
		for range cap(found) {
			if got := <-found; got != "1.1.0" {
				t.Errorf("%q", got)
			}
		}
		if r.repo.refreshes != 2 {
			t.Errorf("the repository was asked %d times", r.repo.refreshes)
		}
	})
}
