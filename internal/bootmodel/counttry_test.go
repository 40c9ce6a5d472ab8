package bootmodel

import (
	"fmt"
	"testing"

	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/powercut"
)

func TestCountTry(t *testing.T) {
	old, new := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	d := newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+2.efi"}, guard())
	for _, want := range []string{"stele_1.1.0+1-1.efi", "stele_1.1.0+0-2.efi", ""} {
		got, err := CountTry(d)
		if err != nil || got != want {
			t.Fatalf("%q, %v, not %q", got, err, want)
		}
		f, err := findFirmware(d)
		if err != nil {
			t.Fatal(err)
		}
		v, err := fat.Open(f.esp.dev)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := v.List("EFI/Linux")
		if err != nil || len(entries) != 2 || want != "" && entries[1].Name != want {
			t.Fatalf("%+v, %v", entries, err)
		}
	}
	if r := Boot(d); r.Version != "1.0.0" || len(r.Failed) != 0 {
		t.Error(r)
	}
}

// TestGhosts: where the slots of a counted entry lie in two sectors of the directory, a power cut in the loader's own rename leaves the short name alone, as the real firmware
// does (seen); where both the old and the new slots lie in one, it does not.
func TestGhosts(t *testing.T) {
	old, new := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	for pads, straddles := range map[int]bool{0: false, 9: true, 10: true, 11: false} {
		var more []fat.File
		for i := range pads {
			more = append(more, espFile(fmt.Sprintf("EFI/Linux/A%d.TXT", i), nil))
		}
		base := newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+2.efi"}, more...)
		r := powercut.Record(base.Clone())
		if _, err := CountTry(r); err != nil {
			t.Fatal(err)
		}
		ghosts := 0
		stats, err := powercut.Explore(base, r.Log(), powercut.Options{}, func(s powercut.State) error {
			result := Boot(s.Disk)
			if Ghost(result.Entry) {
				ghosts++
			}
			return result.Err
		})
		if err != nil || (ghosts > 0) != straddles {
			t.Errorf("%d entries before: %d ghosts, %v; %s", pads, ghosts, err, stats)
		}
	}
}
