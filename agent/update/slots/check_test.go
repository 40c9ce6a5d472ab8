package slots

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
)

func TestCheck(t *testing.T) {
	info := bundle.Info{Version: "1.1.0", RootHash: hashOf("1.1.0"), Root: bundle.Part{Bytes: 1000}, Verity: bundle.Part{Bytes: 100}, UKI: bundle.Part{Bytes: 10}}
	slot := func(version string, condition state.SlotCondition) Slot {
		return Slot{Slot: state.Slot{Name: "b", Version: version, RootHash: hashOf(version), State: condition}, RootBytes: 1000, VerityBytes: 100}
	}
	running := slot("1.0.0", state.SlotCommitted)
	running.Entry = "stele_1.0.0.efi"
	const room = 10 + spareBytes
	for _, c := range []struct {
		name   string
		change func(running, other *Slot, info *bundle.Info)
		room   int64
		kind   fault.Kind
		want   string
	}{
		{"fits exactly", nil, room, "", ""},
		{"over a rejected version", func(_, other *Slot, _ *bundle.Info) { *other = slot("1.0.5", state.SlotRejected) }, room, "", ""},
		{"the rejected one again", func(_, other *Slot, _ *bundle.Info) { *other = slot("1.1.0", state.SlotRejected) }, room, "", ""},
		{"over a damaged slot", func(_, other *Slot, _ *bundle.Info) { *other = slot("1.1.0", state.SlotDamaged) }, room, "", ""},
		{"running", func(r, _ *Slot, _ *bundle.Info) { r.Version = "1.1.0" }, room, fault.Precondition, `it is running`},
		{"the running root under another name", func(r, _ *Slot, _ *bundle.Info) { r.RootHash = hashOf("1.1.0") }, room, fault.Precondition, `it is running`},
		{"older", func(r, _ *Slot, _ *bundle.Info) { r.Version = "1.2.0" }, room, fault.Precondition, `it is older than the running "1.2.0"; to go back is rollback's`},
		{"staged already", func(_, other *Slot, _ *bundle.Info) { *other = slot("1.1.0", state.SlotStaged) }, room, fault.Precondition, `slot b holds it already (staged)`},
		{"in the other slot under another name", func(_, other *Slot, i *bundle.Info) {
			*other = slot("1.0.5", state.SlotCommitted)
			i.RootHash = other.RootHash
		}, room,
			fault.Precondition, `slot b holds it already (committed)`},
		{"another is armed", func(_, other *Slot, _ *bundle.Info) { *other = slot("1.0.5", state.SlotTrying) }, room, fault.Precondition, `is armed`},
		{"probation", func(r, _ *Slot, _ *bundle.Info) { r.name.Counted = true }, room, fault.Precondition, `has not proven itself yet`},
		{"the only entry", func(r, _ *Slot, _ *bundle.Info) { r.Entry = "" }, room, fault.Precondition, `is the only one`},
		{"root too large", func(_, other *Slot, _ *bundle.Info) { other.RootBytes-- }, room, fault.Exhausted, `its root needs 1000 bytes, slot b has 999`},
		{"tree too large", func(_, other *Slot, _ *bundle.Info) { other.VerityBytes-- }, room, fault.Exhausted, `its hash tree needs 100 bytes, slot b has 99`},
		{"ESP full", nil, room - 1, fault.Exhausted, fmt.Sprintf(`its boot entry needs %d bytes, the ESP has %d`, room, room-1)},
	} {
		r, other, i := running, slot("", state.SlotEmpty), info
		if c.change != nil {
			c.change(&r, &other, &i)
		}
		err := check(r, other, i, c.room)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %s: %v", c.name, fault.KindOf(err), err)
		}
	}
}

// TestFullESP: what other systems put there is left alone, and what Begin removes counts as free.
func TestFullESP(t *testing.T) {
	v0, v1 := slotstest.Make(t, "1.0.0", slotstest.RootBytes), slotstest.Make(t, "1.1.0", slotstest.RootBytes)
	disk := slotstest.Factory(t, v0)
	esp := slotstest.ESP(t, disk)
	free, err := esp.FreeBytes()
	if err != nil {
		t.Fatal(err)
	}
	fill := free - spareBytes
	if err := esp.Create("filler", fill, io.LimitReader(zeroes{}, fill)); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, disk, v0).Begin(v1.Info); fault.KindOf(err) != fault.Exhausted {
		t.Fatalf("%s: %v", fault.KindOf(err), err)
	}
	old := bls.Name{Prefix: EntryPrefix, Version: "0.9.0", Counted: true, Done: 2}.String()
	if err := esp.Remove("filler"); err != nil {
		t.Fatal(err)
	}
	fill -= v1.Info.UKI.Bytes + 4096
	if err := esp.Create(EntryDirectory+"/"+old, v1.Info.UKI.Bytes, bytes.NewReader(v1.UKI)); err != nil {
		t.Fatal(err)
	}
	if err := esp.Create("filler", fill, io.LimitReader(zeroes{}, fill)); err != nil {
		t.Fatal(err)
	}
	if err := stage(open(t, disk, v0), v1); err != nil {
		t.Error(err)
	}
	if got := slotstest.Entries(t, disk); strings.Join(got, " ") != "stele_1.0.0.efi stele_1.1.0+0.efi" {
		t.Errorf("%v", got)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestSealRefuses: nothing that was not signed gets a name that the loader takes.
func TestSealRefuses(t *testing.T) {
	v0, v1, v2 := slotstest.Make(t, "1.0.0", slotstest.RootBytes), slotstest.Make(t, "1.1.0", slotstest.RootBytes), slotstest.Make(t, "1.2.0", slotstest.RootBytes)
	for name, change := range map[string]func(*version){
		"root changed":           func(v *version) { v.Root = append([]byte{v.Root[0] + 1}, v.Root[1:]...) },
		"tree changed":           func(v *version) { v.Tree = append(v.Tree[:len(v.Tree)-1:len(v.Tree)-1], v.Tree[len(v.Tree)-1]+1) },
		"UKI changed":            func(v *version) { v.UKI = append([]byte("ZM"), v.UKI[2:]...) },
		"UKI too short":          func(v *version) { v.UKI = v.UKI[:len(v.UKI)-1] },
		"UKI too long":           func(v *version) { v.UKI = append(v.UKI[:len(v.UKI):len(v.UKI)], 0) },
		"UKI of another root":    func(v *version) { v.UKI, v.Info.UKI = v2.UKI, v2.Info.UKI },
		"UKI of another version": func(v *version) { v.Info.Version = "1.3.0" },
	} {
		disk, bad := slotstest.Factory(t, v0), v1
		change(&bad)
		if err := stage(open(t, disk, v0), bad); err == nil {
			t.Errorf("%s: it is staged", name)
		}
		for _, file := range slotstest.Entries(t, disk) {
			if strings.HasSuffix(file, ".efi") && file != "stele_1.0.0.efi" {
				t.Errorf("%s: %s is there", name, file)
			}
		}
		if _, err := open(t, disk, v0).Repair(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := stage(open(t, disk, v0), v1); err != nil {
			t.Errorf("%s: the good one afterwards: %v", name, err)
		}
	}
}

// TestCloneStaysAsItIs: a disk with the same content is another device.
func TestCloneStaysAsItIs(t *testing.T) {
	v0, v1 := slotstest.Make(t, "1.0.0", slotstest.RootBytes), slotstest.Make(t, "1.1.0", slotstest.RootBytes)
	disk := slotstest.Factory(t, v0)
	clone := disk.Clone()
	if err := stage(open(t, disk, v0), v1); err != nil {
		t.Fatal(err)
	}
	observed, err := open(t, clone, v0).Observe()
	if err != nil || observed[1].State != state.SlotEmpty {
		t.Errorf("%s, %v", observed[1].State, err)
	}
}

// TestCheckRollBack: to a committed version, or on with a rollback that a failing disk has stopped; never to one that has not proven itself.
func TestCheckRollBack(t *testing.T) {
	slot := func(version string, condition state.SlotCondition, done int) Slot {
		return Slot{Slot: state.Slot{Name: "b", Version: version, State: condition, Done: done}, Entry: "stele_" + version + ".efi"}
	}
	for _, c := range []struct {
		name           string
		running, other Slot
		want           bool
	}{
		{"committed", slot("1.1.0", state.SlotCommitted, 0), slot("1.0.0", state.SlotCommitted, 0), true},
		{"half-way", slot("1.1.0", state.SlotCommitted, 0), slot("1.0.0", state.SlotTrying, 0), true},
		{"armed by an update", slot("1.1.0", state.SlotCommitted, 0), slot("1.2.0", state.SlotTrying, 0), false},
		{"tried", slot("1.1.0", state.SlotCommitted, 0), slot("1.0.0", state.SlotTrying, 1), false},
		{"staged", slot("1.1.0", state.SlotCommitted, 0), slot("1.2.0", state.SlotStaged, 0), false},
		{"the only entry", Slot{Slot: state.Slot{Name: "a"}}, slot("1.0.0", state.SlotCommitted, 0), false},
	} {
		if err := CheckRollBack(c.running, c.other); (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
