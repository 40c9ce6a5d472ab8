package fat

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/powercut"
)

var everyState = flag.Bool("every-state", false, "look at every torn sector, not at a sample")

// sampleTorn: so manieth torn sector is looked at without -every-state.
const sampleTorn = 24

// tree is what a volume holds: content by path.
type tree map[string]string

// readTree reads everything, and fails where anything cannot be read.
func readTree(v *Volume, dir string, into tree) error {
	entries, err := v.List(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := join(dir, e.Name)
		if e.Dir {
			if err := readTree(v, name, into); err != nil {
				return err
			}
			continue
		}
		f, err := v.OpenFile(name)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		if _, twice := into[name]; twice {
			return fmt.Errorf("%q is there twice", name)
		}
		into[name] = string(b)
	}
	return nil
}

func treeOf(t testing.TB, d block.Device) tree {
	t.Helper()
	all := tree{}
	check(t, readTree(open(t, d), "", all))
	return all
}

// change is one call, or a few, of which every power cut is tried.
type change struct {
	name string
	// dir is where it happens.
	dir string
	// prepare brings the volume into the state before, do changes it.
	prepare, do func(v *Volume) error
	// window tells whether a tree that is neither that before nor that after may be seen until Repair.
	window func(before, after, seen tree) bool
}

const linux = "EFI/Linux"

func text(n int) io.Reader { return bytes.NewReader(bytes.Repeat([]byte("new!"), n)[:n]) }

// crowd puts n files into dir.
func crowd(dir string, n int) func(v *Volume) error {
	return func(v *Volume) error {
		for i := range n {
			if err := v.Create(fmt.Sprintf("%s/stele_0.9.%d+0-3.efi", dir, i), 700, text(700)); err != nil {
				return err
			}
		}
		return nil
	}
}

// holes leaves old entries in EFI/Linux.
func holes(v *Volume) error {
	return errors.Join(crowd(linux, 7)(v), v.Remove(linux+"/stele_0.9.1+0-3.efi"), v.Remove(linux+"/stele_0.9.2+0-3.efi"))
}

// full is how many files of crowd fill two of the three clusters of EFI/Linux, of 16 slots each: 7 are taken by ".", "..", below and stele_1.0.0.efi. In the root
// 6 are taken. The last cluster stays free (arrange).
const full = 8

func nothing(*Volume) error { return nil }

func never(before, after, seen tree) bool { return false }

// both: the file is there by two names, with its whole content.
func both(before, after, seen tree) bool {
	all := maps.Clone(before)
	maps.Copy(all, after)
	return maps.Equal(seen, all)
}

func changes() []change {
	const oldName, newName = "stele_1.0.0.efi", "stele_1.1.0~rc1+0-3.efi"
	create := func(v *Volume) error { return v.Create(linux+"/"+newName, 1500, text(1500)) }
	rename := func(v *Volume) error { return v.Rename(linux, oldName, newName) }
	return []change{
		{"create", linux, nothing, create, never},
		{"create an empty file", linux, nothing, func(v *Volume) error { return v.Create(linux+"/empty", 0, text(0)) }, never},
		{"create with a short name", linux, nothing, func(v *Volume) error { return v.Create(linux+"/SHORT.EFI", 9, text(9)) }, never},
		{"create among old entries", linux, holes, create, never},
		{"create in a full directory", linux, crowd(linux, full), create, never},
		{"create in a full root", "", crowd("", full), func(v *Volume) error { return v.Create("another-long-name", 600, text(600)) }, never},
		{"rename", linux, nothing, rename, both},
		{"rename among old entries", linux, holes, rename, both},
		{"rename in a full directory", linux, crowd(linux, full), rename, both},
		{"create behind what firmware renamed", linux, renamedByFirmware, create, never},
		{"rename what firmware renamed", linux, renamedByFirmware, func(v *Volume) error { return v.Rename(linux, byFirmware, newName) }, both},
		{"remove what firmware renamed", linux, renamedByFirmware, func(v *Volume) error { return v.Remove(linux + "/" + byFirmware) }, never},
		{"create beside an armed entry", linux, armOne, func(v *Volume) error { return v.Create(linux+"/another-long-name.efi", 700, text(700)) }, never},
		{"arm", linux, nothing, func(v *Volume) error { return v.Rename(linux, oldName, armedName) }, both},
		{"arm in a full directory", linux, crowd(linux, full), func(v *Volume) error { return v.Rename(linux, oldName, armedName) }, both},
		{"disarm", linux, armOne, func(v *Volume) error { return v.Rename(linux, armedName, "stele_1.0.5+0-1.efi") }, both},
		{"remove", linux, nothing, func(v *Volume) error { return v.Remove(linux + "/" + oldName) }, never},
		{"remove the last of many", linux, crowd(linux, 7), func(v *Volume) error { return v.Remove(linux + "/stele_0.9.6+0-3.efi") }, never},
		{"a file in place of another", linux, nothing, func(v *Volume) error {
			return errors.Join(v.Remove(linux+"/"+oldName), create(v))
		}, func(before, after, seen tree) bool {
			neither := maps.Clone(before)
			delete(neither, linux+"/"+oldName)
			return maps.Equal(seen, neither)
		}},
	}
}

// run prepares a volume on a disk with these sectors, and records the change.
func (c change) run(t *testing.T, sectorBytes int64) (base *block.Memory, log powercut.Log) {
	t.Helper()
	base = sectorVolume(t, MinBytes, sectorBytes, append(volumeFiles(), content(linux+"/below/x", []byte("x"))))
	check(t, c.prepare(open(t, base)))
	recorder := powercut.Record(base.Clone())
	check(t, c.do(open(t, recorder)))
	return base, recorder.Log()
}

// judgement looks at disks after a power cut.
type judgement struct {
	t             *testing.T
	dir           string
	before, after tree
	window        func(before, after, seen tree) bool
	states, torn  int
	seen          map[string]int
}

// visit: what is there is what was there before, or after, or what the window allows; Repair leaves one of the first two, and then has nothing to do.
func (j *judgement) visit(d *block.Memory) error {
	v, err := Open(d)
	if err != nil {
		return err
	}
	seen := tree{}
	if err := readTree(v, "", seen); err != nil {
		return err
	}
	if !j.window(j.before, j.after, seen) && !j.settled(seen) {
		return fmt.Errorf("it holds %v", slices.Sorted(maps.Keys(seen)))
	}
	if err := strictTree(d, seen); err != nil {
		return err
	}
	if _, err := v.Repair(j.dir); err != nil {
		return err
	}
	repaired := tree{}
	if err := readTree(v, "", repaired); err != nil {
		return fmt.Errorf("after Repair: %w", err)
	}
	if !j.settled(repaired) && !j.window(j.before, j.after, repaired) || len(repaired) > max(len(j.before), len(j.after)) {
		return fmt.Errorf("after Repair it holds %v", slices.Sorted(maps.Keys(repaired)))
	}
	if len(seen) > len(j.before) && len(seen) > len(j.after) && !maps.Equal(repaired, j.after) {
		return fmt.Errorf("Repair kept the old one of two names: %v", slices.Sorted(maps.Keys(repaired)))
	}
	if err := arranged(v, j.dir); err != nil {
		return fmt.Errorf("after Repair: %w", err)
	}
	if j.states++; j.states%10 != 1 {
		return nil // the rest takes longer than everything above
	}
	if j.states%400 == 1 {
		judge(j.t, d, nil)
	}
	if done, err := v.Repair(j.dir); done != nil || err != nil {
		return fmt.Errorf("a second Repair: %q, %w", done, err)
	}
	return nil
}

// visitTorn is visit for a sample.
func (j *judgement) visitTorn(d *block.Memory) error {
	if j.torn++; !*everyState && j.torn%sampleTorn != 0 {
		return nil
	}
	return j.visit(d)
}

func (j *judgement) visitState(s powercut.State) error {
	if s.Torn() {
		return j.visitTorn(s.Disk)
	}
	return j.visit(s.Disk)
}

func (j *judgement) settled(seen tree) bool {
	switch {
	case maps.Equal(seen, j.before):
		j.seen["before"]++
	case maps.Equal(seen, j.after):
		j.seen["after"]++
	default:
		return false
	}
	return true
}

func firstCluster(t *testing.T, d block.Device, dir string) uint32 {
	t.Helper()
	opened, err := open(t, d).openDirectory(dir)
	check(t, err)
	return opened.first()
}

// TestPowerCuts tries every change with every power cut: prefixes, subsets, parts of writes and torn sectors, of which those are a sample (-every-state: all).
func TestPowerCuts(t *testing.T) {
	var total atomic.Int64
	gc := debug.SetGCPercent(800) // disks by the thousand, each gone at once
	t.Cleanup(func() {
		debug.SetGCPercent(gc)
		t.Logf("%d states looked at", total.Load())
	})
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			base, log := c.run(t, 512)
			last := base.Clone()
			check(t, log.Apply(last, len(log)))
			j := &judgement{t: t, dir: c.dir, before: treeOf(t, base), after: treeOf(t, last), window: c.window, seen: map[string]int{}}
			stats, err := powercut.Explore(base, log, powercut.Options{Torn: true}, j.visitState)
			check(t, err)
			torn, err := everyTear(base, log, j.visitTorn)
			check(t, err)
			if j.seen["before"] == 0 || j.seen["after"] == 0 {
				t.Errorf("seen %v", j.seen)
			}
			judge(t, last, nil)
			if grown := firstCluster(t, base, c.dir) != firstCluster(t, last, c.dir); grown != strings.Contains(c.name, "full") {
				t.Errorf("the directory has other clusters: %v", grown)
			}
			t.Logf("%s; %d torn sectors at every byte", stats, torn)
			base, log = c.run(t, 4096)
			stats, err = powercut.Explore(base, log, powercut.Options{Torn: true}, j.visitState)
			check(t, err)
			t.Logf("sectors of 4096 bytes: %s", stats)
			total.Add(int64(j.states))
		})
	}
}

// TestPowerCutsWhileRepairing cuts the power while what a cut during a change left is repaired.
func TestPowerCutsWhileRepairing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	total := 0
	for _, c := range changes() {
		base, log := c.run(t, 512)
		last := base.Clone()
		check(t, log.Apply(last, len(log)))
		before, after := treeOf(t, base), treeOf(t, last)
		for n := range log {
			if n+1 < len(log) && !log[n+1].Flush() {
				continue // the whole window is worth more
			}
			cut := base.Clone()
			check(t, log.Apply(cut, n+1))
			repairing := powercut.Record(cut.Clone())
			if _, err := open(t, repairing).Repair(c.dir); err != nil {
				t.Fatal(err)
			}
			j := &judgement{t: t, dir: c.dir, before: before, after: after, window: c.window, seen: map[string]int{}}
			_, err := powercut.Explore(cut, repairing.Log(), powercut.Options{Torn: true, MaxReorderings: 4, MaxSectors: 4}, j.visitState)
			if err != nil {
				t.Fatalf("%s, repaired after operation %d: %v", c.name, n, err)
			}
			total += j.states
		}
	}
	t.Logf("%d states", total)
}
