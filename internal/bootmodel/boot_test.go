package bootmodel

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/fat"
)

func TestBoot(t *testing.T) {
	old, new := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	torn := new
	torn.root = append([]byte{0}, new.root[1:]...)
	badTree := new
	badTree.tree = append(bytes.Clone(new.tree[:4096]), make([]byte, 4096)...)
	cut := new
	cut.uki = new.uki[:len(new.uki)-700]
	for _, c := range []struct {
		name string
		disk *block.Memory
		want string
	}{
		{"factory", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{}), `stele_1.0.0.efi boots version "1.0.0" from "root-a"`},
		{"armed", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+2.efi"}), `stele_1.1.0+1-1.efi boots version "1.1.0" from "root-b"`},
		{"staged", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+0.efi"}), `stele_1.0.0.efi boots version "1.0.0" from "root-a"`},
		{"slots the other way round", newDisk(t, slot{new, "stele_1.1.0.efi"}, slot{old, "stele_1.0.0.efi"}), `stele_1.1.0.efi boots version "1.1.0" from "root-a"`},
		{
			"corrupt root", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{torn, "stele_1.1.0+2.efi"}),
			`stele_1.1.0+2.efi fails (its root has the hash HASH), stele_1.1.0+1-1.efi fails (its root has the hash HASH), stele_1.0.0.efi boots version "1.0.0" from "root-a"`,
		},
		{
			"corrupt tree", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{badTree, "stele_1.1.0+1.efi"}),
			`stele_1.1.0+1.efi fails (its hash tree is damaged), stele_1.0.0.efi boots version "1.0.0" from "root-a"`,
		},
		{
			"missing partition", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{}, espFile("EFI/Linux/stele_1.1.0+1-1.efi", new.uki)),
			`stele_1.1.0+1-1.efi fails (no partition has the GUID GUID), stele_1.0.0.efi boots version "1.0.0" from "root-a"`,
		},
		{
			"committed too early", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{torn, "stele_1.1.0.efi"}),
			`stele_1.1.0.efi fails (its root has the hash HASH), nothing boots: stele_1.1.0.efi: the loader chooses it again and again`,
		},
		{
			"both bad", newDisk(t, slot{torn, "stele_1.1.0+0-2.efi"}, slot{old, "stele_1.0.0+0-1.efi"}),
			`stele_1.1.0+0-2.efi fails (its root has the hash HASH), nothing boots: stele_1.1.0+0-2.efi: the loader chooses it again and again`,
		},
		{
			"truncated UKI without guard", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{cut, "stele_1.1.0+1.efi"}),
			`stele_1.1.0+1.efi fails (the machine is stuck: section .linux ends at byte N), nothing boots: stele_1.1.0+1.efi: the machine is stuck: section .linux ends at byte N`,
		},
		{
			"truncated UKI with guard", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{cut, "stele_1.1.0+1.efi"}, guard()),
			`stele_1.1.0+1.efi fails (section .linux ends at byte N), stele_1.0.0.efi boots version "1.0.0" from "root-a"`,
		},
		{
			"files that are no entries", newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{}, espFile("EFI/Linux/stele_9.efi", []byte("MZ")), espFile("EFI/Linux/stele_9.efi.new", new.uki), espFile("EFI/Linux/dir_1.efi/x", nil)),
			`stele_1.0.0.efi boots version "1.0.0" from "root-a"`,
		},
		{"no entry", newDisk(t, slot{old, ""}, slot{}, espFile("EFI/Linux/readme", nil)), `nothing boots: the loader finds no entry`},
		{"default in loader.conf", withDefault(t, old), `nothing boots: loader.conf has the word "default", which defeats boot counting`},
		{"empty disk", block.NewMemory(1<<20, 512), `nothing boots: the disk has no protective MBR`},
	} {
		if got := shorten(Boot(c.disk).String()); got != c.want {
			t.Errorf("%s:\n%s, not\n%s", c.name, got, c.want)
		}
	}
}

// shorten takes out what differs from hash to hash.
func shorten(s string) string {
	words := strings.Fields(s)
	for i := range words {
		if i >= 2 && words[i-1] == "hash" && words[i-2] == "the" {
			words[i] = "HASH)"
			words[i+1] = ""
			tail := words[i+2]
			words[i+2] = ""
			if strings.HasSuffix(tail, ",") || strings.HasSuffix(tail, ")") {
				words[i] = "HASH" + tail[len(tail)-len(strings.TrimLeft(tail[8:], "0123456789abcdef")):]
			}
		}
		if i > 0 && words[i-1] == "GUID" && len(words[i]) >= 36 {
			words[i] = "GUID" + words[i][36:]
		}
		if i > 1 && words[i-1] == "byte" {
			tail := strings.TrimLeft(words[i+2], "0123456789")
			words[i], words[i+1], words[i+2] = "N"+tail, "", ""
		}
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func withDefault(t *testing.T, v version) *block.Memory {
	d := newDisk(t, slot{v, "stele_1.0.0.efi"}, slot{})
	at := bytes.Index(readAll(t, d, espBytes+(2<<20)), []byte("timeout 0\neditor no\n"))
	overwrite(t, d, int64(at), []byte("default *\n")...)
	return d
}

func readAll(t *testing.T, d *block.Memory, n int64) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := d.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPartitionTables(t *testing.T) {
	v := newVersion(t, "1.0.0")
	fresh := func() *block.Memory { return newDisk(t, slot{v, "stele_1.0.0.efi"}, slot{}) }
	primary := fresh()
	overwrite(t, primary, 512+60, 1)
	if r := Boot(primary); r.Err != nil {
		t.Errorf("damaged primary table: %v", r)
	}
	overwrite(t, primary, primary.SizeBytes()-500, 1)
	if r := Boot(primary); r.Err == nil {
		t.Errorf("two damaged tables: %v", r)
	}
	mbr := fresh()
	overwrite(t, mbr, 446+4, 0)
	if r := Boot(mbr); r.Err == nil {
		t.Errorf("no protective MBR: %v", r)
	}
}

func TestKnownUKIs(t *testing.T) {
	old, new := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	m := New()
	m.Know(old.uki)
	m.Know(new.uki)
	if r := m.Boot(newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+1.efi"})); r.Version != "1.1.0" {
		t.Error(r)
	}
	broken := new
	broken.uki = bytes.Clone(new.uki)
	broken.uki[len(broken.uki)-600] ^= 1
	if r := m.Boot(newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{broken, "stele_1.1.0+1.efi"}, guard())); r.Err == nil {
		t.Error(r)
	}
}

// TestShortNames: what a cut leaves of a long name is an entry under the short one, which the loader lists, without counter.
func TestShortNames(t *testing.T) {
	old, new := newVersion(t, "1.0.0"), newVersion(t, "1.1.0")
	d := newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+2.efi"})
	image := readAll(t, d, espBytes+(2<<20))
	at := bytes.Index(image, []byte("2\x00.\x00e\x00f\x00i")) // within the long name
	if at < 0 {
		at = bytes.Index(image, []byte("+\x002\x00"))
	}
	if at < 0 {
		t.Fatal("no long name found")
	}
	entry := at / 32 * 32
	overwrite(t, d, int64(entry+13), image[entry+13]+1) // its checksum
	r := Boot(d)
	if r.Version != "1.1.0" || !strings.HasPrefix(r.Entry, "STELE_") || !strings.HasSuffix(r.Entry, ".EFI") {
		t.Error(r)
	}
}

// TestReadsWhatFATWrites: the two readers of FAT agree on a volume after changes.
func TestReadsWhatFATWrites(t *testing.T) {
	old := newVersion(t, "1.0.0")
	d := newDisk(t, slot{old, "stele_1.0.0.efi"}, slot{})
	f, err := findFirmware(d)
	if err != nil {
		t.Fatal(err)
	}
	v, err := fat.Open(f.esp.dev)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Create("EFI/Linux/stele_1.1.0.efi.new", int64(len(old.uki)), bytes.NewReader(old.uki)); err != nil {
		t.Fatal(err)
	}
	if err := v.Rename("EFI/Linux", "stele_1.1.0.efi.new", "stele_1.1.0+2.efi"); err != nil {
		t.Fatal(err)
	}
	if f, err = findFirmware(d); err != nil {
		t.Fatal(err)
	}
	dir, err := f.esp.find("efi/linux")
	if err != nil {
		t.Fatal(err)
	}
	files, err := f.esp.list(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		names[file.name] = true
		if !file.dir {
			if content, err := f.esp.read(file); err != nil || !bytes.Equal(content, old.uki) {
				t.Errorf("%s: %d bytes, %v", file.name, len(content), err)
			}
		}
	}
	if len(names) != 4 || !names["stele_1.0.0.efi"] || !names["stele_1.1.0+2.efi"] {
		t.Error(names)
	}
}

func BenchmarkBoot(b *testing.B) {
	old, new := newVersion(b, "1.0.0"), newVersion(b, "1.1.0")
	d := newDisk(b, slot{old, "stele_1.0.0.efi"}, slot{new, "stele_1.1.0+2.efi"})
	m := New()
	for b.Loop() {
		if r := m.Boot(d); r.Err != nil {
			b.Fatal(r)
		}
	}
}
