package update

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

// TestDamagedESP: two files of the loader's share a cluster. A version that is there commits, and can be left; nothing new is written.
func TestDamagedESP(t *testing.T) {
	in(t, []string{"1.1.0", "1.2.0"}, func(r *rig) {
		ctx := r.t.Context()
		r.must(r.Stage(ctx, "", "1.1.0"))
		r.must(r.Apply(ctx, "", server.ApplyRequest{}))
		r.crossLink("LOADER~1CON", "BOOTX64 EFI")
		r.reboot()
		r.said("nothing can be staged: cannot repair the ESP")
		r.shows("a committed 1.0.0, b committed 1.1.0")
		if err := r.Stage(ctx, "", ""); fault.KindOf(err) != fault.Precondition || !strings.HasPrefix(err.Error(), "cannot stage: cannot repair") {
			t.Error(err)
		}
		_, err := r.Rollback(ctx, "", server.RollbackRequest{})
		r.must(err)
		r.reboot()
		r.shows("a committed 1.0.0, b rejected 1.1.0")
	})
}

// TestStartedFromElsewhere: a machine that does not run from its boot disk's slots says so, and takes nothing.
func TestStartedFromElsewhere(t *testing.T) {
	in(t, []string{"1.1.0"}, func(r *rig) {
		r.end()
		r.machine.Boot.Set(state.Boot{Version: "1.0.0", RootHash: strings.Repeat("0", 64), BootDisk: "/dev/vda"})
		r.run()
		if err := r.Stage(r.t.Context(), "", ""); fault.KindOf(err) != fault.Precondition {
			t.Error(err)
		}
		r.restarts("")
	})
}

// crossLink makes the first cluster of one file (by its name of 8.3, fatgen103 "FAT Directory Structure") lead to that of another, in both tables.
func (r *rig) crossLink(from, to string) {
	r.t.Helper()
	const esp = 1 << 20
	image := make([]byte, 34<<20)
	if _, err := r.disk.ReadAt(image, esp); err != nil {
		r.t.Fatal(err)
	}
	cluster := func(name string) uint32 {
		at := bytes.Index(image, []byte(name))
		if at < 0 {
			r.t.Fatalf("there is no %q", name)
		}
		return uint32(binary.LittleEndian.Uint16(image[at+20:]))<<16 | uint32(binary.LittleEndian.Uint16(image[at+26:]))
	}
	reserved, tableSectors := int64(binary.LittleEndian.Uint16(image[14:])), int64(binary.LittleEndian.Uint32(image[36:]))
	entry := binary.LittleEndian.AppendUint32(nil, cluster(to))
	for table := range int64(2) {
		if _, err := r.disk.WriteAt(entry, esp+(reserved+table*tableSectors)*512+4*int64(cluster(from))); err != nil {
			r.t.Fatal(err)
		}
	}
}
