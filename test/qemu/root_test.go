//go:build qemu

package qemu

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

func TestRootIsReadOnlyAndVerified(t *testing.T) {
	t.Parallel()
	root := demo("demo", machine.DemoPort, `securityContext: {runAsUser: 0}`, `volumeMounts: [{name: stele, mountPath: /stele}]`)
	g := boot(t, machine.Options{Direct: true, Document: document("volumes: [{name: stele, hostPath: {path: /usr/lib/stele}}]\ncontainers:" + root)})
	g.serving()
	status, body := g.ask(machine.DemoPort, "/write", "path", "/stele/new", "data", "x")
	if status != http.StatusInternalServerError || !strings.Contains(body, "read-only file system") {
		t.Errorf("writing to the root answers %d: %s", status, body)
	}
	if table := g.get(machine.DemoPort, "/read", "path", "/proc/cmdline"); !strings.Contains(table, "verity") || !strings.Contains(table, image.Manifest.RootHash) {
		t.Errorf("the kernel's command line opens no verity device: %s", table)
	}
	if uuid := g.get(machine.DemoPort, "/read", "path", "/sys/block/dm-0/dm/suspended"); strings.TrimSpace(uuid) != "0" {
		t.Errorf("dm-0 is suspended: %q", uuid)
	}
}

// One flipped bit must never be served: the kernel panics, and reboots.
func TestFlippedByteReboots(t *testing.T) {
	t.Parallel()
	erofs, err := os.ReadFile(image.File("root.erofs"))
	if err != nil {
		t.Fatal(err)
	}
	program := bytes.Index(erofs[4096:], []byte("\x7fELF")) + 4096
	for _, c := range []struct {
		name string
		at   int
	}{{"superblock", 1024}, {"program", program + 24}} { // e_entry of the ELF header
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			disk := flippedDisk(t, c.at)
			g := boot(t, machine.Options{Direct: true, Document: machine.DemoDocument, NoNetwork: true, Dir: filepath.Dir(disk), Disk: disk, Allow: []string{".*"}})
			g.expect(`Kernel panic`)
			g.expect(`verity: .*(data|metadata) block \d+ is corrupted`)
			if e := g.event("SHUTDOWN"); e.Data["reason"] != "guest-reset" {
				t.Errorf("the machine ended by %v, not by a reboot", e.Data)
			}
			g.never(`container demo: running`)
		})
	}
}

// flippedDisk is a copy of the image's disk with one bit of root-a turned.
func flippedDisk(t *testing.T, at int) string {
	t.Helper()
	disk := scratch.Dir(t) + "/flipped.raw"
	if err := sparse.Copy(t.Context(), disk, image.File("disk.raw")); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	offset := partition(t, f, "root-a") + int64(at)
	var b [1]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
	return disk
}

// partition is where a partition begins on a disk.
func partition(t *testing.T, f *os.File, name string) int64 {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := gpt.Decode(f, info.Size(), gpt.DefaultSectorSize)
	if err != nil {
		t.Fatal(err)
	}
	p := table.ByName(name)
	if p == nil {
		t.Fatalf("the disk has no partition %q", name)
	}
	return table.StartBytes(*p)
}
