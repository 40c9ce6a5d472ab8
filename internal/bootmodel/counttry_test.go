package bootmodel

import (
	"testing"

	"github.com/stele-os/stele/internal/block"
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
// does (seen); where they lie in one, it does not. internal/fat puts them in one; here the loader's own renames, in a row, bring them across.
func TestGhosts(t *testing.T) {
	old, new := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	for renames, straddles := range map[int]bool{0: false, 4: false, 5: false, 6: true, 7: false} {
		base := newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+2.efi"})
		for range renames { // each takes the next three slots
			renameBlindly(t, base, "stele_1.1.0+2.efi")
		}
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
			t.Errorf("after %d renames: %d ghosts, %v; %s", renames, ghosts, err, stats)
		}
	}
}

// renameBlindly puts an entry at the end of the directory, under its own name, wherever that is.
func renameBlindly(t *testing.T, d *block.Memory, name string) {
	t.Helper()
	f, err := findFirmware(d)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := f.esp.find("EFI/Linux")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.esp.rename(dir, name, name); err != nil {
		t.Fatal(err)
	}
}
