//go:build qemu

package powercut

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

var (
	points = flag.Int("points", 3, "how many moments of each scenario are booted")
	follow = flag.Int("follow", 3, "every so many moments, an update from what booted")
	seed   = flag.Uint64("seed", 1, "chooses the moments")
	orders = flag.Bool("orders", false, "ask the model for other orders of the writes, too")
	live   = flag.Int("live", 0, "how often the power of a running machine is cut")
)

const (
	// scenarioTimeout and bootTimeout are for emulation on a busy machine.
	scenarioTimeout = 20 * time.Minute
	bootTimeout     = 10 * time.Minute
	// grownBytes is how much larger the disk is than the image, so that there is something to grow.
	grownBytes = 1 << 30
)

var image machine.Image

func TestMain(m *testing.M) {
	vm.RunRelay()
	flag.Parse()
	dir := os.Getenv("STELE_IMAGE_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "build", "x86_64", "demo")
	}
	var err error
	if dir, err = filepath.Abs(dir); err == nil {
		image, err = machine.Open(dir)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\nhint: make demo, or name another directory in STELE_IMAGE_DIR\n", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// record runs something on a machine with a copy of base, ends it with a power cut, and returns the log of its writes.
func record(t *testing.T, base string, literal vm.Options, run func(context.Context, *vm.VM)) *dmlog.Log {
	t.Helper()
	literal.Disks[0] = vm.Disk{Path: base, Copy: true, LogWrites: true}
	m, err := vm.Start(context.WithoutCancel(t.Context()), literal)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), scenarioTimeout)
	defer cancel()
	run(ctx, m)
	m.Cut()
	if err := m.Console.Err(); err != nil {
		t.Fatalf("%v; console log: %s", err, m.ConsoleLog())
	}
	return readLog(t, m.WriteLogPath(0))
}

func readLog(t *testing.T, path string) *dmlog.Log {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	log, err := dmlog.Read(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// newBase makes the disk of an image, grown, as it is before its first boot.
func newBase(t *testing.T, dir string, image machine.Image) string {
	t.Helper()
	base := filepath.Join(dir, "base.raw")
	err := sparse.Copy(t.Context(), base, image.File("disk.raw"))
	if err == nil {
		var info os.FileInfo
		if info, err = os.Stat(base); err == nil {
			err = os.Truncate(base, info.Size()+grownBytes)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return base
}
