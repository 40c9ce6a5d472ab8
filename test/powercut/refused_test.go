//go:build qemu

package powercut

import (
	"bytes"
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// A UKI that is cut off in its kernel is listed by the loader and refused by the firmware. Both tries are counted, and the old version is back (internal/bootguard),
// whatever the state of the firmware's variables.
func TestRefusedUKIFallsBack(t *testing.T) {
	t.Parallel()
	for _, nvram := range []string{"", vm.NVRAMReadOnly, vm.NVRAMFull} {
		name := nvram
		if name == "" {
			name = "fresh"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scratch.Dir(t)
			base := newBase(t, dir, image)
			addRefusedUKI(t, base)
			expected := judge(t, bootmodel.New(), base)
			if len(expected.Failed) != 2 || expected.Version != image.Manifest.Version {
				t.Errorf("model: %s", expected)
			}
			literal := image.VM(machine.Options{Dir: dir, Disk: base, Reboot: true, Document: machine.DemoDocument})
			literal.NVRAM = nvram
			m, err := vm.Start(t.Context(), literal)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
			defer cancel()
			line, err := m.Expect(ctx, `^stele: .* (\S+), agent started`)
			if err != nil {
				t.Fatalf("%v; by hand: %s", err, m.Command)
			}
			t.Logf("version %s is back %.1f s after power-on, behind two refused UKIs", line.Groups[1], time.Since(m.Started).Seconds())
			m.Cut()
			if names := entries(t, base); line.Groups[1] != image.Manifest.Version || !slices.Contains(names, "stele_9.1.0+0-2.efi") {
				t.Errorf("version %s, entries %q", line.Groups[1], names)
			}
		})
	}
}

// addRefusedUKI puts the first half of a UKI on the ESP, newer than the image's own, with two tries.
func addRefusedUKI(t *testing.T, disk string) {
	t.Helper()
	content, err := os.ReadFile(image.File("uki.efi"))
	if err != nil {
		t.Fatal(err)
	}
	version := []byte(`IMAGE_VERSION="`)
	at := bytes.Index(content, version)
	if at < 0 {
		t.Fatal("the UKI has no version")
	}
	content[at+len(version)] = '9'
	content = content[:len(content)/2]
	onESP(t, disk, func(v *fat.Volume) error {
		return v.Create("EFI/Linux/stele_9.1.0+2.efi", int64(len(content)), bytes.NewReader(content))
	})
}

// entries lists EFI/Linux.
func entries(t *testing.T, disk string) (names []string) {
	t.Helper()
	onESP(t, disk, func(v *fat.Volume) error {
		list, err := v.List("EFI/Linux")
		for _, e := range list {
			names = append(names, e.Name)
		}
		return err
	})
	return names
}

func onESP(t *testing.T, disk string, do func(*fat.Volume) error) {
	t.Helper()
	d, err := block.OpenFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	start, end := espRange(t, d)
	section, err := block.Section(d, start, end-start)
	if err != nil {
		t.Fatal(err)
	}
	v, err := fat.Open(section)
	if err == nil {
		err = do(v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// espRange is where the ESP lies on a disk.
func espRange(t *testing.T, d block.Device) (start, end int64) {
	t.Helper()
	table, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		t.Fatal(err)
	}
	p := table.ByName("esp")
	return table.StartBytes(*p), table.StartBytes(*p) + table.SizeBytes(*p)
}
