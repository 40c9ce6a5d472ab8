//go:build qemu

package powercut

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/vm"
)

// TestPowerCuts: whenever the power goes in a scenario, a version that may boot does, and it is the one the model says.
func TestPowerCuts(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			dir := directory(t)
			base := newBase(t, dir)
			log := record(t, dir, base, s)
			t.Log(summary(log), "seed", *seed)
			model := bootmodel.New()
			for _, p := range log.Points(*points, 0, *seed) {
				disk := filepath.Join(dir, fmt.Sprintf("cut-%d.raw", p.Entries))
				if err := log.Replay(t.Context(), disk, base, p.Entries); err != nil {
					t.Fatal(err)
				}
				if cut(t, s, model, disk, p) {
					os.Remove(disk)
				}
			}
		})
	}
}

func summary(log *dmlog.Log) string {
	var writes, flushes, discards int
	var bytes int64
	for _, e := range log.Entries {
		switch {
		case e.Flags&dmlog.Flush != 0 && e.Bytes == 0:
			flushes++
		case e.Flags&dmlog.Discard != 0:
			discards++
		case e.Bytes > 0:
			writes++
			bytes += e.Bytes
		}
	}
	return fmt.Sprintf("%d writes of %.1f MiB, %d flushes, %d discards;", writes, float64(bytes)/(1<<20), flushes, discards)
}

// cut asks both judges about one disk.
func cut(t *testing.T, s scenario, model *bootmodel.Model, disk string, p dmlog.Point) bool {
	expected := judge(t, model, disk)
	started := time.Now()
	version, trouble := boot(t, s, disk)
	ok := trouble == "" && expected.Err == nil && version == expected.Version && slices.Contains(s.versions, version)
	t.Logf("cut after %d operations (flushed %t): boots %q in %.0f s; model: %s", p.Entries, p.Flushed, version, time.Since(started).Seconds(), expected)
	if !ok {
		t.Errorf("cut after %d operations: machine %q %s; model: %s; allowed: %s; disk %s", p.Entries, version, trouble, expected, strings.Join(s.versions, ", "), disk)
	}
	return ok
}

func judge(t *testing.T, model *bootmodel.Model, disk string) bootmodel.Result {
	t.Helper()
	d, err := block.OpenFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return model.Boot(d)
}

// boot boots a disk through firmware until the agent has settled, and returns the version that the agent says.
func boot(t *testing.T, s scenario, disk string) (version, trouble string) {
	t.Helper()
	o := s.options
	o.Dir = disk + ".run"
	o.Disk = disk
	o.Reboot = true
	m, err := vm.Start(t.Context(), image.VM(o))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	if _, err := m.Expect(ctx, `^stele: ---- end ----`); err != nil {
		return "", fmt.Sprintf("(%v; by hand: %s)", err, m.Command)
	}
	version = startedVersion(m)
	if err := m.Console.Err(); err != nil {
		return version, fmt.Sprintf("(%v; by hand: %s)", err, m.Command)
	}
	os.RemoveAll(o.Dir)
	return version, ""
}

var agentStarted = regexp.MustCompile(`^stele: .* (\S+), agent started`)

// startedVersion is the version of the last boot: those before it were tries.
func startedVersion(m *vm.VM) (version string) {
	for _, line := range m.Console.Lines(0) {
		if groups := agentStarted.FindStringSubmatch(line.Text); groups != nil {
			version = groups[1]
		}
	}
	return version
}
