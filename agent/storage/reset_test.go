package storage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/powercut"
)

// partition is a part of a disk in memory as a partition that templates are written to.
type partition struct{ block.Device }

func (p partition) Sync() error                { return p.Flush() }
func (p partition) Discard(int64, int64) error { return errors.ErrUnsupported }

func (p partition) Zero(offset, length int64) error {
	_, err := p.WriteAt(make([]byte, length), offset)
	return err
}

// resetDisk is a product's disk with a used file system on var.
func resetDisk(t *testing.T) *block.Memory {
	t.Helper()
	m := block.NewMemory(64<<20, 512)
	if err := table(t, guidESP, "a").Write(m, m.Flush); err != nil {
		t.Fatal(err)
	}
	image, _ := template(t, 64)
	image[superblockOffset+0x34] = 1 // s_mnt_count
	copy(image[12288:], "somebody's data")
	part, _ := varOf(t, m)
	if _, err := part.WriteAt(image, 0); err != nil {
		t.Fatal(err)
	}
	return m
}

// varOf is the var partition of a disk, and whether a reset is asked for. The table must be readable.
func varOf(t *testing.T, d block.Device) (partition, bool) {
	t.Helper()
	tab, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		t.Fatal(err)
	}
	p, err := varPartition(tab)
	if err != nil {
		t.Fatal(err)
	}
	s, err := block.Section(d, tab.StartBytes(*p), tab.SizeBytes(*p))
	if err != nil {
		t.Fatal(err)
	}
	return partition{s}, p.Attributes&attributeReset != 0
}

// boot does what a boot does with /var, and says which file system is mounted then: "used" or "new".
func boot(t *testing.T, d block.Device, compressed []byte) string {
	t.Helper()
	part, reset := varOf(t, d)
	seen := observe(part, part.SizeBytes())
	switch decision := decide(seen, reset, nil); decision.action {
	case actionMount:
		if seen.superblock.mounted {
			return "used"
		}
		return "new"
	case actionRecreate:
		var forget func() error
		if reset {
			forget = func() error { return setReset(d, false) }
		}
		if err := makeAnew(part, part.SizeBytes(), bytes.NewReader(compressed), forget); err != nil {
			t.Fatal(err)
		}
		if _, again := varOf(t, d); again {
			t.Fatal("the next boot would reset /var again")
		}
		return "new"
	default:
		t.Fatalf("%+v", decision)
		return ""
	}
}

// TestAskingSurvivesPowerCuts cuts the power while a reset is asked for: the machine comes up with the old /var, or with a new one.
func TestAskingSurvivesPowerCuts(t *testing.T) {
	_, compressed := template(t, 64)
	base := resetDisk(t)
	asking := powercut.Record(base.Clone())
	if err := setReset(asking, true); err != nil {
		t.Fatal(err)
	}
	resets := map[string]int{}
	stats, err := powercut.Explore(base, asking.Log(), powercut.Options{Torn: true}, func(s powercut.State) error {
		_, asked := varOf(t, s.Disk)
		got := boot(t, s.Disk, compressed)
		resets[got]++
		if asked != (got == "new") {
			return fmt.Errorf("asked for a reset: %v, /var is %s", asked, got)
		}
		return nil
	})
	if err != nil || resets["used"] == 0 || resets["new"] == 0 {
		t.Fatalf("%v, %v", resets, err)
	}
	t.Logf("%s: %v", stats, resets)
}

// TestResetSurvivesPowerCuts cuts the power while the reset is done: the machine always comes up with a whole new /var, and only once.
func TestResetSurvivesPowerCuts(t *testing.T) {
	image, compressed := template(t, 64)
	marked := resetDisk(t)
	if err := setReset(marked, true); err != nil {
		t.Fatal(err)
	}
	doing := powercut.Record(marked.Clone())
	if got := boot(t, doing, compressed); got != "new" {
		t.Fatalf("/var is %s", got)
	}
	stats, err := powercut.Explore(marked, doing.Log(), powercut.Options{Torn: true}, func(s powercut.State) error {
		if got := boot(t, s.Disk, compressed); got != "new" {
			return fmt.Errorf("/var is %s", got)
		}
		part, asked := varOf(t, s.Disk)
		content := make([]byte, len(image)) // what lies before the superblock may be a part of the mark
		if _, err := part.ReadAt(content, 0); err != nil || asked || !bytes.Equal(content[superblockOffset:], image[superblockOffset:]) {
			return fmt.Errorf("/var is not the template, or to be reset again: %v (%v)", asked, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(stats)
}

func TestMarkReset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	m := resetDisk(t)
	content := make([]byte, m.SizeBytes())
	if _, err := m.ReadAt(content, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := MarkReset(path); err != nil {
			t.Fatal(err)
		}
	}
	d, err := block.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, asked := varOf(t, d); !asked {
		t.Error("the mark is not there")
	}
	if err := setReset(d, false); err != nil {
		t.Fatal(err)
	}
	after := make([]byte, d.SizeBytes())
	if _, err := d.ReadAt(after, 0); err != nil || !bytes.Equal(after, content) {
		t.Errorf("marking and clearing left something (%v)", err)
	}
	if err := MarkReset(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestNewVarIsAFileSystem writes a template of mkfs.ext4 over an old file system, as a reset does, and asks e2fsck.
func TestNewVarIsAFileSystem(t *testing.T) {
	dir := t.TempDir()
	made, path := filepath.Join(dir, "template"), filepath.Join(dir, "var")
	for _, name := range []string{made, path} {
		if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, 16<<20)); err != nil {
			t.Fatal(err)
		}
		oracle.Run(t, "mkfs.ext4", "-q", "-b", "4096", name)
	}
	image, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := block.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	asked := true
	forget := func() error { asked = false; return nil }
	if err := makeAnew(partition{d}, d.SizeBytes(), bytes.NewReader(w.EncodeAll(image, nil)), forget); err != nil || asked {
		t.Fatalf("%v, still asked for: %v", err, asked)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	oracle.Run(t, "e2fsck", "-fn", path)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, image) {
		t.Errorf("it is not the template (%v)", err)
	}
}
