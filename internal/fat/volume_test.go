package fat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/oracle"
)

// volumeFiles are what an ESP holds.
func volumeFiles() []File {
	return []File{
		content("EFI/BOOT/BOOTX64.EFI", bytes.Repeat([]byte("boot"), 3000)),
		content("EFI/Linux/stele_1.0.0.efi", bytes.Repeat([]byte("old!"), 700)),
		content("loader/loader.conf", []byte("timeout 0\n")),
		content("stele/config.yaml", []byte("kind: Machine\n")),
	}
}

// memoryVolume is a volume in memory.
func memoryVolume(t testing.TB, sizeBytes int64, files []File) *block.Memory {
	t.Helper()
	return sectorVolume(t, sizeBytes, 512, files)
}

// sectorVolume is one on a disk with other sectors than those of the file system: what such a disk tears is larger.
func sectorVolume(t testing.TB, sizeBytes, sectorBytes int64, files []File) *block.Memory {
	t.Helper()
	m := block.NewMemory(sizeBytes, sectorBytes)
	p := testParams
	p.SizeBytes = sizeBytes
	if err := Write(m, p, files); err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t testing.TB, d block.Device) *Volume {
	t.Helper()
	v, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return testParams.Time }
	return v
}

// check ends the test at an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, v *Volume, name string) []byte {
	t.Helper()
	f, err := v.OpenFile(name)
	check(t, err)
	b, err := io.ReadAll(f)
	check(t, err)
	return b
}

func names(t testing.TB, v *Volume, dir string) (all []string) {
	t.Helper()
	entries, err := v.List(dir)
	check(t, err)
	for _, e := range entries {
		all = append(all, e.Name)
	}
	return all
}

// judge asks fsck.vfat and mtools about a volume, and what mtools reads of these files.
func judge(t testing.TB, d block.Device, want map[string][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "volume")
	f, err := os.Create(path)
	check(t, err)
	check(t, f.Truncate(d.SizeBytes()))
	part, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < d.SizeBytes(); at += int64(len(part)) {
		part = part[:min(int64(len(part)), d.SizeBytes()-at)]
		check(t, readFull(d, part, at))
		if !bytes.Equal(part, zero[:len(part)]) {
			_, err := f.WriteAt(part, at)
			check(t, err)
		}
	}
	check(t, f.Close())
	oracle.Run(t, "fsck.vfat", "-n", path)
	for name, content := range want {
		got, err := exec.Command(oracle.Tool(t, "mtype"), "-i", path, "::/"+name).Output()
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("mtype %s: %d bytes, not %d, %v", name, len(got), len(content), err)
		}
	}
}

func TestReadsWhatWriteMade(t *testing.T) {
	v := open(t, memoryVolume(t, MinBytes, testFiles()))
	for _, f := range testFiles() {
		r, _ := f.Open()
		want, _ := io.ReadAll(r)
		if got := readFile(t, v, f.Path); !bytes.Equal(got, want) {
			t.Errorf("%s: %q", f.Path, got)
		}
	}
	if got := names(t, v, "EFI/Linux"); !slices.Equal(got, []string{"stele_1.0.0+3-0.efi", "stele_1.0.0.efi"}) {
		t.Errorf("%q", got)
	}
	if got := names(t, v, "/"); !slices.Equal(got, []string{"EFI", "loader", "many", "user-data"}) {
		t.Errorf("%q", got)
	}
	if got := names(t, v, "many"); len(got) != 40 {
		t.Errorf("%q", got)
	}
	if done, err := v.Repair("EFI/Linux"); err != nil || done != nil {
		t.Errorf("%q, %v", done, err)
	}
}

// TestChanges goes through an update's calls, with a judge after each.
func TestChanges(t *testing.T) {
	m := memoryVolume(t, MinBytes, volumeFiles())
	v := open(t, m)
	uki := make([]byte, 300_001)
	rand.NewChaCha8([32]byte{}).Read(uki)
	const dir, temporary = "EFI/Linux", ".stele_1.1.0~rc1.efi.new"
	want := map[string][]byte{"EFI/Linux/stele_1.0.0.efi": readFile(t, v, "EFI/Linux/stele_1.0.0.efi")}
	before, err := v.FreeBytes()
	check(t, err)
	name := temporary
	check(t, v.Create(dir+"/"+name, int64(len(uki)), bytes.NewReader(uki)))
	const grown = 1024 // the directory, for the armed name
	for _, next := range []string{"stele_1.1.0~rc1+0.efi", "stele_1.1.0~rc1+2.efi", "stele_1.1.0~rc1+1-1.efi", "stele_1.1.0~rc1.efi"} {
		check(t, v.Rename(dir, name, next))
		want[dir+"/"+next] = uki
		judge(t, m, want)
		if got := readFile(t, v, dir+"/"+next); !bytes.Equal(got, uki) {
			t.Errorf("%s: other content", next)
		}
		if got := names(t, v, dir); len(got) != 2 || !slices.Contains(got, next) {
			t.Errorf("%q", got)
		}
		delete(want, dir+"/"+next)
		name = next
	}
	check(t, v.Create("empty", 0, strings.NewReader("")))
	check(t, v.Remove("empty"))
	check(t, v.Remove(dir+"/"+name))
	judge(t, m, want)
	if after, err := v.FreeBytes(); err != nil || after != before-grown {
		t.Errorf("%d bytes free, before %d, %v", after, before, err)
	}
	if done, err := v.Repair(dir); err != nil || done != nil {
		t.Errorf("%q, %v", done, err)
	}
}

// TestDirectoriesGrow fills a directory, and the root, far beyond their first cluster.
func TestDirectoriesGrow(t *testing.T) {
	m := memoryVolume(t, MinBytes, append(volumeFiles(), content("EFI/Linux/below/x", []byte("x"))))
	v := open(t, m)
	want := map[string][]byte{}
	for i := range 40 {
		for _, dir := range []string{"EFI/Linux/", ""} {
			name := fmt.Sprintf("%sstele_1.1.%d+3.efi", dir, i)
			want[name] = []byte(name)
			check(t, v.Create(name, int64(len(name)), strings.NewReader(name)))
		}
	}
	for i := range 40 {
		from := fmt.Sprintf("stele_1.1.%d+3.efi", i)
		check(t, v.Rename("EFI/Linux", from, strings.ReplaceAll(from, "+3", "+2-1")))
		delete(want, "EFI/Linux/"+from)
		want["EFI/Linux/"+strings.ReplaceAll(from, "+3", "+2-1")] = []byte("EFI/Linux/" + from)
	}
	judge(t, m, want)
	for name, content := range want {
		if got := readFile(t, v, name); !bytes.Equal(got, content) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if done, err := open(t, m).Repair("EFI/Linux"); err != nil || done != nil {
		t.Errorf("%q, %v", done, err)
	}
	for name := range want {
		check(t, v.Remove(name))
	}
	judge(t, m, nil)
}

func TestRefusals(t *testing.T) {
	m := memoryVolume(t, MinBytes, volumeFiles())
	v := open(t, m)
	pattern := m.Clone()
	fails := errors.New("the line is cut")
	for name, try := range map[string]struct {
		err  error
		want string
		is   error
	}{
		"create twice":     {v.Create("EFI/Linux/STELE_1.0.0.EFI", 0, strings.NewReader("")), `cannot create "EFI/Linux/STELE_1.0.0.EFI"`, fs.ErrExist},
		"no directory":     {v.Create("EFI/other/x", 0, strings.NewReader("")), `directory "EFI/other"`, fs.ErrNotExist},
		"no directory 2":   {v.Create("loader/loader.conf/x", 0, strings.NewReader("")), "is no directory", nil},
		"bad name":         {v.Create("EFI/a?", 0, strings.NewReader("")), "is not allowed", nil},
		"too large":        {v.Create("x", MinBytes, strings.NewReader("")), "are free", ErrNoSpace},
		"more than FAT":    {v.Create("x", 1<<32, strings.NewReader("")), "holds no file", nil},
		"short":            {v.Create("x", 5, strings.NewReader("1234")), "cannot read its content", io.ErrUnexpectedEOF},
		"long":             {v.Create("x", 3, strings.NewReader("1234")), "longer than 3", nil},
		"broken":           {v.Create("x", 3, io.MultiReader(strings.NewReader("123"), failing{fails})), "cannot read its content", fails},
		"rename nothing":   {v.Rename("EFI/Linux", "x", "y"), `cannot rename "x" to "y"`, fs.ErrNotExist},
		"rename onto":      {v.Rename("loader", "loader.conf", "LOADER.CONF"), "there already", fs.ErrExist},
		"rename directory": {v.Rename("EFI", "Linux", "y"), "it is a directory", nil},
		"remove nothing":   {v.Remove("EFI/Linux/x"), `cannot remove "EFI/Linux/x"`, fs.ErrNotExist},
		"remove directory": {v.Remove("EFI/Linux"), "it is a directory", nil},
	} {
		if try.err == nil || !strings.Contains(try.err.Error(), try.want) || try.is != nil && !errors.Is(try.err, try.is) {
			t.Errorf("%s: %v", name, try.err)
		}
	}
	if _, err := v.OpenFile("EFI"); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Error(err)
	}
	if _, err := v.List("nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if a, b := names(t, v, ""), names(t, open(t, pattern), ""); !slices.Equal(a, b) {
		t.Errorf("what was refused left %q, not %q", a, b)
	}
	if done, err := v.Repair(""); err != nil || done != nil {
		t.Errorf("%q, %v", done, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
