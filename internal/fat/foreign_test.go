package fat

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/oracle"
)

// TestVolumesOfMkfs changes volumes that mkfs.vfat and mtools made, of all shapes.
func TestVolumesOfMkfs(t *testing.T) {
	for name, shape := range map[string]struct {
		mib  int64
		args []string
	}{
		"as an installer does": {300, nil},
		"one sector a cluster": {40, []string{"-s", "1"}},
		"one table":            {300, []string{"-f", "1"}},
		"clusters of 4 KiB":    {300, []string{"-s", "8"}},
		"sectors of 4 KiB":     {300, []string{"-S", "4096", "-s", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "volume")
			check(t, os.WriteFile(path, nil, 0o600))
			check(t, os.Truncate(path, shape.mib<<20))
			oracle.Run(t, "mkfs.vfat", slices.Concat([]string{"-F", "32", "-n", "ESP"}, shape.args, []string{path})...)
			oracle.Run(t, "mmd", "-i", path, "::/EFI", "::/EFI/Linux", "::/loader")
			source := filepath.Join(t.TempDir(), "source")
			check(t, os.WriteFile(source, []byte("content"), 0o600))
			foreign := []string{"loader.conf", "BOOTX64.EFI", "lower.efi", "Ärger mit Umlauten ✓.txt", "stele_1.0.0+3.efi"}
			for _, file := range foreign {
				oracle.Run(t, "mcopy", "-i", path, source, "::/EFI/Linux/"+file)
			}
			changeForeign(t, path, foreign)
			oracle.Run(t, "fsck.vfat", "-n", path)
			if got := oracle.Run(t, "mtype", "-i", path, "::/EFI/Linux/stele_1.0.0+2-1.efi"); got != "content" {
				t.Errorf("mtools reads %q", got)
			}
			if got := oracle.Run(t, "mtype", "-i", path, "::/EFI/Linux/stele_1.1.0.efi"); got != strings.Repeat("1.1.0", 30_000) {
				t.Errorf("mtools reads %d bytes", len(got))
			}
		})
	}
}

// withoutFlush saves the time that a disk takes to flush.
type withoutFlush struct{ block.Device }

func (withoutFlush) Flush() error { return nil }

func changeForeign(t *testing.T, path string, foreign []string) {
	t.Helper()
	d, err := block.OpenFile(path)
	check(t, err)
	defer d.Close()
	v := open(t, withoutFlush{d})
	got := names(t, v, linux)
	for _, file := range foreign {
		if !slices.Contains(got, file) || string(readFile(t, v, linux+"/"+file)) != "content" {
			t.Errorf("%q is not among %q, or has other content", file, got)
		}
	}
	check(t, v.Create(linux+"/stele_1.1.0.efi", 150_000, strings.NewReader(strings.Repeat("1.1.0", 30_000))))
	check(t, v.Rename(linux, "stele_1.0.0+3.efi", "stele_1.0.0+2-1.efi"))
	check(t, v.Remove(linux+"/LOADER.CONF"))
	for i := range 150 { // more than one cluster of 4 KiB
		check(t, v.Create(linux+"/"+strconv.Itoa(i), 1, strings.NewReader("x")))
	}
	if done, err := v.Repair(linux); done != nil || err != nil {
		t.Errorf("%q, %v", done, err)
	}
}

// TestScattered puts a file into free clusters that do not lie in a row.
func TestScattered(t *testing.T) {
	m := memoryVolume(t, MinBytes, volumeFiles())
	v := open(t, m)
	const small = 20
	for i := range small {
		check(t, v.Create(strconv.Itoa(i), v.clusterBytes, text(int(v.clusterBytes))))
	}
	check(t, v.Create("rest", 0, strings.NewReader("")))
	check(t, v.Remove("rest"))
	left, err := v.FreeBytes()
	check(t, err)
	check(t, v.Create("rest", left, zeros(left)))
	if left, err = v.FreeBytes(); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	if err := v.Create("no", 1, text(1)); !errors.Is(err, ErrNoSpace) {
		t.Error(err)
	}
	for i := 0; i < small; i += 2 {
		check(t, v.Remove(strconv.Itoa(i)))
	}
	size := small/2*int(v.clusterBytes) - 3
	check(t, v.Create("scattered", int64(size), text(size)))
	want := bytes.Repeat([]byte("new!"), size)[:size]
	if got := readFile(t, v, "scattered"); !bytes.Equal(got, want) {
		t.Errorf("%d bytes", len(got))
	}
	f, err := v.OpenFile("scattered")
	check(t, err)
	part := make([]byte, 2000)
	if _, err := f.ReadAt(part, 1001); err != nil || !bytes.Equal(part, want[1001:3001]) {
		t.Error("a part of it differs", err)
	}
	judge(t, m, map[string][]byte{"scattered": want})
}

func zeros(n int64) io.Reader { return io.NewSectionReader(block.NewMemory(n, 512), 0, n) }
