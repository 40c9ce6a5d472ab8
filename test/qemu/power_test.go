//go:build qemu

package qemu

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// The power goes at any moment of the first boot, again and again, while the partition table, the partition and /var grow: the next boot makes good
// what is left. Each cut comes at a random moment of the time in which that happens; the log tells which.
func TestPowerCutsWhileGrowing(t *testing.T) {
	t.Parallel()
	info, err := os.Stat(image.File("disk.raw"))
	if err != nil {
		t.Fatal(err)
	}
	o := machine.Options{Direct: true, Document: persistent, Dir: scratch.Dir(t)}
	for i := range 5 {
		o.DiskSizeBytes = info.Size() + int64(i+1)<<30 // each boot has something to grow
		g := boot(t, o)
		g.expect(`^stele: .*agent started`)
		wait := rand.N(1200 * time.Millisecond)
		t.Logf("cut %d ms after the agent's start", wait.Milliseconds())
		time.Sleep(wait)
		g.Cut()
	}
	last := boot(t, o)
	last.serving()
	if size := varMiB(last); size < 5<<10 {
		t.Errorf("/var has %d MiB", size)
	}
	last.get(machine.DemoPort, "/write", "path", "/data/new", "data", "x")
	last.never(`(?i)EXT4-fs error|degraded`)
	last.powerOff()
}

// A second disk with the same image, such as a clone attached for inspection, does not stand in for the machine's own.
func TestCloneOfTheBootDisk(t *testing.T) {
	t.Parallel()
	dir := scratch.Dir(t)
	clone := filepath.Join(dir, "clone.raw")
	if err := sparse.Copy(t.Context(), clone, image.File("disk.raw")); err != nil {
		t.Fatal(err)
	}
	before := startOfVar(t, clone)
	g := boot(t, machine.Options{Direct: true, Document: persistent, Dir: dir, Disks: []vm.Disk{{Path: clone}}})
	g.serving()
	g.expect(`^stele: .*warning: disks vda and vdb hold the same image; using vda`)
	g.get(machine.DemoPort, "/write", "path", "/data/new", "data", "x")
	if options := strings.Join(g.report().Lines, "\n"); !strings.Contains(options, "storage: /var on /dev/vda6") {
		t.Errorf("report: %s", options)
	}
	g.powerOff()
	if !bytes.Equal(startOfVar(t, clone), before) {
		t.Error("the clone's /var was written to")
	}
}

// startOfVar holds the superblock of /var, which every mount changes.
func startOfVar(t *testing.T, disk string) []byte {
	t.Helper()
	f, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	start := make([]byte, 4096)
	if _, err := f.ReadAt(start, partition(t, f, "var")); err != nil {
		t.Fatal(err)
	}
	return start
}
