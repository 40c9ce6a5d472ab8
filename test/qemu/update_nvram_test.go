//go:build qemu

package qemu

import (
	"bytes"
	"context"
	"crypto/sha256"
	"path/filepath"
	"testing"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/scratch"
)

// No EFI variable is the record of anything: update and rollback work where none can be written, and the boot disk is the only one that is touched.
func TestUpdateWithoutNVRAM(t *testing.T) {
	t.Parallel()
	l := lab(t)
	good, err := l.Image(t.Context(), faults.Version(faults.Good))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.PublishVersion(t.Context(), faults.Version("1.2.0")); err != nil {
		t.Fatal(err)
	}
	for _, nvram := range []string{vm.NVRAMFull, vm.NVRAMReadOnly} {
		t.Run(nvram, func(t *testing.T) {
			t.Parallel()
			dir := scratch.Dir(t)
			clone := filepath.Join(dir, "clone.raw")
			if err := sparse.Copy(t.Context(), clone, good.File("disk.raw")); err != nil {
				t.Fatal(err)
			}
			before := digest(t, clone)
			m, err := l.Start(t.Context(), faults.Setting{Dir: dir, NVRAM: nvram, Disks: []vm.Disk{{Path: clone}}, Log: t.Logf})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			updateAndBack(t, m, "1.2.0")
			if err := m.Calm(0); err != nil {
				t.Error(err)
			}
			m.Cut()
			if !bytes.Equal(digest(t, clone), before) {
				t.Error("the clone of the boot disk was written to")
			}
		})
	}
}

// updateAndBack takes a version, keeps it, and goes back by request.
func updateAndBack(t *testing.T, m *faults.Machine, version string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*expectTimeout)
	defer cancel()
	err := m.Stage(ctx, version)
	before := present(t, m)
	if err == nil {
		err = m.Apply(ctx, version)
	}
	if err == nil {
		err = m.Client.WaitCommitted(ctx, version, before, func(node.Waiting) {})
	}
	if err != nil {
		t.Fatalf("%v\nconsole log: %s", err, m.ConsoleLog())
	}
	before = present(t, m)
	_, err = node.Ask(ctx, m.Client.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: t.Name()})
	if err == nil {
		err = m.Client.WaitCommitted(ctx, faults.Good, before, func(node.Waiting) {})
	}
	if err == nil {
		_, err = m.InService(ctx, faults.Good, "")
	}
	if err != nil {
		t.Fatalf("%v\nconsole log: %s", err, m.ConsoleLog())
	}
}

// present is the id of the present boot.
func present(t *testing.T, m *faults.Machine) string {
	t.Helper()
	s, err := m.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.GetBoots()[0].GetId()
}

func digest(t *testing.T, path string) []byte {
	t.Helper()
	f, err := sparse.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if err := f.WriteTo(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	return h.Sum(nil)
}
