package fat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/powercut"
)

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
			if err := v.Create(fmt.Sprintf("%s/stele_0.9.%d+1-2.efi", dir, i), 700, text(700)); err != nil {
				return err
			}
		}
		return nil
	}
}

// holes leaves old entries in EFI/Linux.
func holes(v *Volume) error {
	return errors.Join(crowd(linux, 7)(v), v.Remove(linux+"/stele_0.9.1+1-2.efi"), v.Remove(linux+"/stele_0.9.2+1-2.efi"))
}

// full is how many files of crowd fill the first cluster of EFI/Linux, of 16 slots: 7 are taken by ".", "..", below and stele_1.0.0.efi.
const full = 3

func nothing(*Volume) error { return nil }

func never(before, after, seen tree) bool { return false }

// both: the file is there by two names, with its whole content.
func both(before, after, seen tree) bool {
	all := maps.Clone(before)
	maps.Copy(all, after)
	return maps.Equal(seen, all)
}

func changes() []change {
	const oldName, newName = "stele_1.0.0.efi", "stele_1.1.0~rc1+2-1.efi"
	create := func(v *Volume) error { return v.Create(linux+"/"+newName, 1500, text(1500)) }
	rename := func(v *Volume) error { return v.Rename(linux, oldName, newName) }
	return []change{
		{"create", linux, nothing, create, never},
		{"create an empty file", linux, nothing, func(v *Volume) error { return v.Create(linux+"/empty", 0, text(0)) }, never},
		{"create with a short name", linux, nothing, func(v *Volume) error { return v.Create(linux+"/SHORT.EFI", 9, text(9)) }, never},
		{"create among old entries", linux, holes, create, never},
		{"create in a full directory", linux, crowd(linux, full), create, never},
		{"create in a full root", "", crowd("", 3), func(v *Volume) error { return v.Create("another-long-name", 600, text(600)) }, never},
		{"rename", linux, nothing, rename, both},
		{"rename among old entries", linux, holes, rename, both},
		{"rename in a full directory", linux, crowd(linux, full), rename, both},
		{"remove", linux, nothing, func(v *Volume) error { return v.Remove(linux + "/" + oldName) }, never},
		{"remove the last of many", linux, crowd(linux, 7), func(v *Volume) error { return v.Remove(linux + "/stele_0.9.6+1-2.efi") }, never},
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
	states        int
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

// TestPowerCuts tries every change with every power cut: prefixes, subsets, parts of writes and torn sectors.
func TestPowerCuts(t *testing.T) {
	var total atomic.Int64
	t.Cleanup(func() { t.Logf("%d states", total.Load()) })
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			base, log := c.run(t, 512)
			last := base.Clone()
			check(t, log.Apply(last, len(log)))
			j := &judgement{t: t, dir: c.dir, before: treeOf(t, base), after: treeOf(t, last), window: c.window, seen: map[string]int{}}
			stats, err := powercut.Explore(base, log, powercut.Options{Torn: true}, func(s powercut.State) error { return j.visit(s.Disk) })
			check(t, err)
			torn, err := everyTear(base, log, j.visit)
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
			stats, err = powercut.Explore(base, log, powercut.Options{Torn: true}, func(s powercut.State) error { return j.visit(s.Disk) })
			check(t, err)
			t.Logf("sectors of 4096 bytes: %s", stats)
			total.Add(int64(j.states))
		})
	}
}

// TestPowerCutsWhileRepairing cuts the power while what a cut during a change left is repaired.
func TestPowerCutsWhileRepairing(t *testing.T) {
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
			_, err := powercut.Explore(cut, repairing.Log(), powercut.Options{Torn: true, MaxReorderings: 4, MaxSectors: 4}, func(s powercut.State) error { return j.visit(s.Disk) })
			if err != nil {
				t.Fatalf("%s, repaired after operation %d: %v", c.name, n, err)
			}
			total += j.states
		}
	}
	t.Logf("%d states", total)
}

// everyTear tears each sector that a window changes at every byte that differs: the sector as it is after the window, for it is sectors that
// are written, not the bytes that a program changes; with the other sectors of the window old, and new.
func everyTear(base *block.Memory, log powercut.Log, visit func(*block.Memory) error) (states int, err error) {
	start := base.Clone()
	for first := 0; first < len(log); {
		last := first
		for last < len(log) && !log[last].Flush() {
			last++
		}
		end := start.Clone()
		if err := log[first:last].Apply(end, last-first); err != nil {
			return states, err
		}
		n, err := tearWindow(start, end, log[first:last], visit)
		if states += n; err != nil {
			return states, fmt.Errorf("operations %d to %d: %w", first, last-1, err)
		}
		start, first = end, last+1
	}
	return states, nil
}

func tearWindow(start, end *block.Memory, writes powercut.Log, visit func(*block.Memory) error) (states int, err error) {
	sectors := map[int64]bool{}
	for _, op := range writes {
		for at := op.Offset / 512; at <= (op.Offset+int64(len(op.Data))-1)/512; at++ {
			sectors[at] = true
		}
	}
	for _, sector := range slices.Sorted(maps.Keys(sectors)) {
		before, after := make([]byte, 512), make([]byte, 512)
		if err := errors.Join(readFull(start, before, sector*512), readFull(end, after, sector*512)); err != nil {
			return states, err
		}
		seen := map[string]bool{string(before): true, string(after): true} // these are not torn
		for _, mixed := range mixes(before, after) {
			if seen[string(mixed)] {
				continue
			}
			seen[string(mixed)] = true
			for _, around := range []*block.Memory{start, end} {
				d := around.Clone()
				if _, err := d.WriteAt(mixed, sector*512); err != nil {
					return states, err
				}
				if err := visit(d); err != nil {
					return states, fmt.Errorf("sector %d: %w", sector, err)
				}
				states++
			}
		}
	}
	return states, nil
}

// mixes are the beginnings and the ends of after with the rest of before, and single words of 8 bytes. Of sectors full of differences (content
// of files) a few are enough.
func mixes(before, after []byte) (all [][]byte) {
	var differ []int
	for i := range before {
		if before[i] != after[i] {
			differ = append(differ, i)
		}
	}
	if len(differ) > 130 {
		differ = []int{differ[0], differ[len(differ)/2], differ[len(differ)-1]}
	}
	for n, i := range differ {
		if n > 0 {
			all = append(all, slices.Concat(after[:i], before[i:]), slices.Concat(before[:i], after[i:]))
		}
		word := i &^ 7
		all = append(all, slices.Concat(before[:word], after[word:word+8], before[word+8:]))
	}
	return all
}

// strictTree reads as EDK2's driver does (FatPkg/EnhancedFatDxe): the first table, no tolerance for a bad number in any chain, long names found
// from the short one backwards. It must see the same files.
func strictTree(d block.Device, want tree) error {
	s := strictReader{d: d}
	boot := s.read(0, 512)
	s.reserved, s.perCluster = int64(le.Uint16(boot[14:])), int64(boot[13])
	s.data = s.reserved + 2*int64(le.Uint32(boot[36:]))
	got := tree{}
	if err := s.walk(le.Uint32(boot[44:]), "", got); err != nil {
		return fmt.Errorf("a strict reader: %w", err)
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("a strict reader sees %q", slices.Sorted(maps.Keys(got)))
	}
	return nil
}

type strictReader struct {
	d                          block.Device
	reserved, perCluster, data int64
}

func (s strictReader) read(at, n int64) []byte {
	b := make([]byte, n)
	_, _ = s.d.ReadAt(b, at)
	return b
}

func (s strictReader) chain(cluster uint32) (b []byte, err error) {
	for n := 0; cluster < 0x0ffffff8; n++ {
		if cluster < 2 || int64(cluster) >= (s.d.SizeBytes()/512-s.data)/s.perCluster+2 || n > 100 {
			return nil, fmt.Errorf("cluster %d", cluster)
		}
		b = append(b, s.read((s.data+int64(cluster-2)*s.perCluster)*512, s.perCluster*512)...)
		cluster = le.Uint32(s.read(s.reserved*512+int64(cluster)*4, 4)) & 0x0fffffff
	}
	return b, nil
}

func (s strictReader) walk(cluster uint32, dir string, into tree) error {
	raw, err := s.chain(cluster)
	if err != nil {
		return fmt.Errorf("%q: %w", dir, err)
	}
	for at := 0; at < len(raw) && raw[at] != 0; at += 32 {
		e := raw[at : at+32]
		if e[0] == 0xe5 || e[11]&0x08 != 0 || e[0] == '.' {
			continue
		}
		name := join(dir, s.longName(raw, at))
		first := uint32(le.Uint16(e[20:]))<<16 | uint32(le.Uint16(e[26:]))
		size := int(le.Uint32(e[28:]))
		if e[11]&0x10 != 0 {
			if err := s.walk(first, name, into); err != nil {
				return err
			}
			continue
		}
		var content []byte
		if first != 0 {
			content, err = s.chain(first)
		}
		if err != nil || len(content) < size {
			return fmt.Errorf("%q: %d of %d bytes: %w", name, len(content), size, err)
		}
		into[name] = string(content[:size])
	}
	return nil
}

func (s strictReader) longName(raw []byte, at int) string {
	short := [11]byte(raw[at:])
	var name []byte
	for n := 1; at-32*n >= 0; n++ {
		e := raw[at-32*n:]
		if e[0]&0x3f != byte(n) || e[11] != 0x0f || e[13] != shortChecksum(short) {
			break
		}
		for _, offset := range longUnits {
			name = append(name, e[offset])
		}
		if e[0]&0x40 != 0 {
			long, _, _ := strings.Cut(string(name), "\x00")
			return strings.TrimRight(long, "\xff")
		}
	}
	return plainName(short)
}
