//go:build qemu

package powercut

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/powercut"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// TestLoaderRenameSurvivesPowerCuts: the loader's own writes, when it counts a try, recorded from the real one, in every order that a power cut may leave: one of
// the two versions boots.
func TestLoaderRenameSurvivesPowerCuts(t *testing.T) {
	t.Parallel()
	dir := scratch.Dir(t)
	base := newBase(t, dir, image)
	addCounted(t, base)
	log := record(t, base, image.VM(machine.Options{Dir: dir, Reboot: true}), func(ctx context.Context, m *vm.VM) {
		if _, err := m.Expect(ctx, `^stele: .*agent started`); err != nil {
			t.Fatal(err)
		}
	})
	disk := inMemory(t, base)
	writes := onlyESP(t, disk, log)
	model := bootmodel.New()
	allowed := []string{image.Manifest.Version, "9" + image.Manifest.Version[1:]}
	booted := map[string]int{}
	stats, err := powercut.Explore(disk, writes, powercut.Options{Seed: *seed, Torn: true, MaxSectors: 3}, func(s powercut.State) error {
		r := model.Boot(s.Disk)
		booted[r.Entry]++
		if r.Err != nil || !slices.Contains(allowed, r.Version) {
			return fmt.Errorf("%s", r)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%s; booted: %v", stats, booted)
}

// addCounted puts a second, newer UKI of the same root on the ESP.
func addCounted(t *testing.T, disk string) {
	t.Helper()
	content, err := os.ReadFile(image.File("uki.efi"))
	if err != nil {
		t.Fatal(err)
	}
	old := image.Manifest.Version
	content = patch(t, content, fmt.Sprintf("IMAGE_VERSION=%q", old), fmt.Sprintf("IMAGE_VERSION=%q", "9"+old[1:]))
	onESP(t, disk, func(v *fat.Volume) error {
		return v.Create("EFI/Linux/stele_9"+old[1:]+"+2.efi", int64(len(content)), bytes.NewReader(content))
	})
}

// inMemory reads the data of a sparse file.
func inMemory(t *testing.T, path string) *block.Memory {
	t.Helper()
	f, err := sparse.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := block.NewMemory(f.SizeBytes, 512)
	if err := f.WriteTo(t.Context(), &skipZeroes{w: d}); err != nil {
		t.Fatal(err)
	}
	return d
}

// skipZeroes writes what is not zero.
type skipZeroes struct {
	w  io.WriterAt
	at int64
}

func (s *skipZeroes) Write(p []byte) (int, error) {
	n := len(p)
	for part := range slices.Chunk(p, 4096) {
		if bytes.Count(part, []byte{0}) < len(part) {
			if _, err := s.w.WriteAt(part, s.at); err != nil {
				return 0, err
			}
		}
		s.at += int64(len(part))
	}
	return n, nil
}

// onlyESP takes the writes to the ESP out of a log, with the flushes.
func onlyESP(t *testing.T, d *block.Memory, log *dmlog.Log) (list powercut.Log) {
	t.Helper()
	start, end := espRange(t, d)
	for _, e := range log.Entries {
		if e.Flags&dmlog.Flush != 0 {
			list = append(list, powercut.Op{Step: "flush"})
		}
		if e.Bytes == 0 || e.Flags&(dmlog.Discard|dmlog.Mark) != 0 || e.Offset < start || e.Offset >= end {
			continue
		}
		data, err := log.Data(e)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, powercut.Op{Offset: e.Offset, Data: data, Step: "loader"})
		t.Logf("%d bytes at %d", e.Bytes, e.Offset)
	}
	return list
}
