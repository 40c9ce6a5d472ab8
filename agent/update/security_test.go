package update

import (
	"errors"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slotstest"
)

// committed takes the rig to a committed 1.1.0 of security version 2, and publishes 1.2.0 of version 1 and 1.3.0 of version 2.
func committed(r *rig) {
	r.t.Helper()
	r.publish(slotstest.MakeSecure(r.t, "1.1.0", slotstest.RootBytes, 2))
	r.must(r.Stage(r.t.Context(), "", "1.1.0"))
	r.must(r.Apply(r.t.Context(), "", server.ApplyRequest{}))
	if r.repo.floor != 0 {
		r.t.Errorf("the floor is %d before the version has proven itself", r.repo.floor)
	}
	r.reboot()
	r.shows("a committed 1.0.0, b committed 1.1.0")
	r.publish(slotstest.MakeSecure(r.t, "1.2.0", slotstest.RootBytes, 1))
	r.publish(slotstest.MakeSecure(r.t, "1.3.0", slotstest.RootBytes, 2))
}

// TestSecurityFloor: it rises with the commit, outlives the way back, and nothing below it is staged, not by name either.
func TestSecurityFloor(t *testing.T) {
	in(t, nil, func(r *rig) {
		ctx := r.t.Context()
		committed(r)
		if u, _ := r.machine.Update.Get(); r.repo.floor != 2 || u.SecurityFloor != 2 || u.Slots[1].SecurityVersion != 2 {
			t.Errorf("kept %d, %+v", r.repo.floor, u)
		}
		refused := func() {
			t.Helper()
			err := r.Stage(ctx, "", "1.2.0")
			if fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "its security version is 1, and this machine takes 2 or more") {
				t.Error(err)
			}
		}
		refused()
		_, err := r.Rollback(ctx, "", server.RollbackRequest{})
		if fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "the security version of 1.0.0 is 0, and this machine takes 2 or more") {
			t.Error(err)
		}
		_, err = r.Rollback(ctx, "", server.RollbackRequest{AcceptLowerSecurity: true})
		r.must(err)
		r.reboot()
		if boot, _ := r.machine.Boot.Get(); boot.Version != "1.0.0" {
			t.Fatalf("%s runs", boot.Version)
		}
		refused()
		r.must(r.Stage(ctx, "", "1.3.0"))
	})
}

// TestSecurityFloorIsNotKept: where /var takes nothing, the running version's own is the floor, and that it is not kept is said.
func TestSecurityFloorIsNotKept(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.repo.floorErr = errors.New("no space left")
		committed(r)
		r.said("the floor of security versions is not kept: no space left")
		if err := r.Stage(r.t.Context(), "", "1.2.0"); fault.KindOf(err) != fault.Precondition {
			t.Error(err)
		}
		r.repo.floorErr = nil
		r.reboot()
		if r.repo.floor != 2 {
			t.Errorf("the next start has kept %d", r.repo.floor)
		}
	})
}

// TestLyingSecurityVersion: a bundle that claims more than its UKI says is not staged.
func TestLyingSecurityVersion(t *testing.T) {
	in(t, nil, func(r *rig) {
		v := slotstest.MakeSecure(r.t, "1.1.0", slotstest.RootBytes, 1)
		v.Info.SecurityVersion = 7
		r.publish(v)
		if err := r.Stage(r.t.Context(), "", "1.1.0"); err == nil || !strings.Contains(err.Error(), "its security version is 1, not 7") {
			t.Error(err)
		}
		if u, _ := r.machine.Update.Get(); u.Slots[1].State == state.SlotStaged {
			t.Errorf("%+v", u.Slots)
		}
	})
}
