package bootmodel

import (
	"errors"
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

// TestNeverUncounted: a version that never comes up is left after its tries, wherever the power goes in the loader's renames, if it was armed by internal/fat. Where the renames
// change two sectors, both names can stay; the driver then refuses the new one, and the loader starts the version for ever.
func TestNeverUncounted(t *testing.T) {
	old, broken := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	for _, moved := range []int{0, 5} { // each takes the next three slots; that many, and the next one needs another sector
		base := newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{broken, "stele_1.1.0+0.efi"}, guard())
		overwrite(t, base, partitionStart(t, base, "root-b")+5000, 0x55)
		arm(t, base, "stele_1.1.0+0.efi", "stele_1.1.0+2.efi")
		for range moved {
			renameBlindly(t, base, "stele_1.1.0+2.efi")
		}
		forever, states := 0, 0
		for range 2 {
			r := powercut.Record(base.Clone())
			if _, err := CountTry(r); err != nil {
				t.Fatal(err)
			}
			stats, err := powercut.Explore(base, r.Log(), powercut.Options{}, func(s powercut.State) error {
				if result := Boot(s.Disk); errors.Is(result.Err, ErrForever) {
					forever++
				} else if result.Err != nil || result.Version != "1.0.0" && !Ghost(result.Entry) {
					return errors.New(result.String())
				}
				return nil
			})
			if states += stats.States; err != nil {
				t.Fatal(err)
			}
			if err := r.Log().Apply(base, len(r.Log())); err != nil {
				t.Fatal(err)
			}
		}
		if (forever > 0) != (moved > 0) || states == 0 {
			t.Errorf("moved %d times: %d of %d states start it for ever", moved, forever, states)
		}
		t.Logf("moved %d times: %d of %d states", moved, forever, states)
	}
}

func arm(t *testing.T, d *block.Memory, from, to string) {
	t.Helper()
	f, err := findFirmware(d)
	if err != nil {
		t.Fatal(err)
	}
	v, err := fat.Open(f.esp.dev)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Rename("EFI/Linux", from, to); err != nil {
		t.Fatal(err)
	}
}
