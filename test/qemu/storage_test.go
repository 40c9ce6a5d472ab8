//go:build qemu

package qemu

import (
	"context"
	"encoding/binary"
	"os"
	"strconv"
	"testing"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

var persistent = document("volumes: [{name: data, persistent: {}}]\ncontainers:" +
	demo("demo", machine.DemoPort, `securityContext: {runAsUser: 0}`, `volumeMounts: [{name: data, mountPath: /data}]`))

// What a container made durable is there after power-off and after a power cut, and /var has grown for good.
func TestSecondBootKeepsVar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*guest)
	}{{"power off", (*guest).powerOff}, {"power cut", func(g *guest) { g.Cut() }}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			info, err := os.Stat(image.File("disk.raw"))
			if err != nil {
				t.Fatal(err)
			}
			o := machine.Options{Direct: true, Document: persistent, Dir: scratch.Dir(t), DiskSizeBytes: info.Size() + 1<<30}
			first := boot(t, o)
			first.serving()
			first.expect(`^stele: .*storage: .*grown`)
			first.get(machine.DemoPort, "/write", "path", "/data/kept", "data", "cut into stone")
			size := varMiB(first)
			c.end(first)

			second := boot(t, o)
			second.serving()
			if got := second.get(machine.DemoPort, "/read", "path", "/data/kept"); got != "cut into stone" {
				t.Errorf("the file holds %q", got)
			}
			if again := varMiB(second); again != size || size < 1000 {
				t.Errorf("/var had %d MiB, then %d", size, again)
			}
			second.never(`storage: .*(grown|recreated|created)`)
		})
	}
}

func varMiB(g *guest) int {
	g.t.Helper()
	mib, err := strconv.Atoi(g.expect(`^stele: storage: /var on \S+, (\d+) MiB`).Groups[1]) // in the boot report
	if err != nil {
		g.t.Fatal(err)
	}
	return mib
}

// The power button ends the machine in order: containers are told, /var is unmounted.
func TestPowerButton(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Direct: true, Document: persistent})
	g.serving()
	ctx, cancel := context.WithTimeout(t.Context(), expectTimeout)
	defer cancel()
	if err := g.Powerdown(ctx); err != nil {
		t.Fatal(err)
	}
	g.expect(`^stele: .*state: shutting-down`)
	g.expect(`^stele: .*container demo: exited: stopped`)
	if err := g.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if e := g.event("SHUTDOWN"); e.Data["reason"] != "guest-shutdown" {
		t.Errorf("the machine ended by %v", e.Data)
	}
	state, recover := ext4State(t, g.VM)
	if state != 1 || recover {
		t.Errorf("/var was not unmounted: state %d, needs recovery %v", state, recover)
	}
}

// ext4State reads s_state (offset 0x3a, 1 is "cleanly umounted") and INCOMPAT_RECOVER (0x4 of s_feature_incompat, offset 0x60) of /var's
// superblock, which lies 1024 bytes into the partition (Linux Documentation/filesystems/ext4/super.rst).
func ext4State(t *testing.T, m *vm.VM) (state uint16, recover bool) {
	t.Helper()
	f, err := os.Open(m.DiskPath(0))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	super := make([]byte, 1024)
	if _, err := f.ReadAt(super, partition(t, f, "var")+1024); err != nil {
		t.Fatal(err)
	}
	if magic := binary.LittleEndian.Uint16(super[0x38:]); magic != 0xef53 {
		t.Fatalf("/var is no ext4: magic %#x", magic)
	}
	return binary.LittleEndian.Uint16(super[0x3a:]), binary.LittleEndian.Uint32(super[0x60:])&4 != 0
}
