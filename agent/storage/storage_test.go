package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/internal/gpt"
)

// memory is a disk or partition in memory. It records its writes and can fail as a power cut does.
type memory struct {
	content []byte
	log     []string
	cutAt   int // number of the write that no longer happens; 0: never
	writes  int
}

var errPowerCut = errors.New("power cut")

func (m *memory) ReadAt(b []byte, offset int64) (int, error) {
	return bytes.NewReader(m.content).ReadAt(b, offset)
}

func (m *memory) WriteAt(b []byte, offset int64) (int, error) {
	if m.writes++; m.writes == m.cutAt {
		return 0, errPowerCut
	}
	m.log = append(m.log, fmt.Sprintf("write %d bytes at %d", len(b), offset))
	return copy(m.content[offset:], b), nil
}

func (m *memory) Zero(offset, length int64) error {
	if m.writes++; m.writes == m.cutAt {
		return errPowerCut
	}
	m.log = append(m.log, fmt.Sprintf("zero %d bytes at %d", length, offset))
	clear(m.content[offset : offset+length])
	return nil
}

func (m *memory) Discard(int64, int64) error { return errors.ErrUnsupported }

func (m *memory) Sync() error {
	m.log = append(m.log, "sync")
	return nil
}

const (
	guidESP   = "aaaaaaaa-0000-4000-8000-000000000001"
	guidRoot  = "bbbbbbbb-0000-4000-8000-000000000002"
	guidHash  = "cccccccc-0000-4000-8000-000000000003"
	guidOther = "dddddddd-0000-4000-8000-000000000004"
)

// table is the layout of a product disk, with the two named root partitions in slot a or b.
func table(t *testing.T, esp, slot string) *gpt.Table {
	t.Helper()
	tab := gpt.New(gpt.MustGUID(guidOther), 64<<20, 512)
	add := func(name string, kind gpt.GUID, guid string, mib int64) {
		if _, err := tab.Append(gpt.Partition{Name: name, Type: kind, GUID: gpt.MustGUID(guid)}, mib<<20); err != nil {
			t.Fatal(err)
		}
	}
	add("esp", gpt.TypeESP, esp, 4)
	for i, s := range []string{"a", "b"} {
		data, hash := guidRoot, guidHash
		if s != slot {
			data, hash = fmt.Sprintf("eeeeeeee-0000-4000-8000-00000000001%d", i), fmt.Sprintf("eeeeeeee-0000-4000-8000-00000000002%d", i)
		}
		add("root-"+s, gpt.TypeRootX86_64, data, 4)
		add("root-"+s+"-verity", gpt.TypeRootX86_64Verity, hash, 1)
	}
	add("var", gpt.TypeVar, "ffffffff-0000-4000-8000-000000000006", 8)
	return tab
}

func product(t *testing.T, name, esp string) disk {
	return disk{name: name, sizeBytes: 64 << 20, sectorSize: 512, table: table(t, esp, "a")}
}

const line = "root,,0,ro,0 32552 verity 1 PARTUUID=BBBBBBBB-0000-4000-8000-000000000002 PARTUUID=cccccccc-0000-4000-8000-000000000003 " +
	"4096 4096 4069 1 sha256 971C3BA3 00 1 panic_on_corruption"

func TestDecodeVerityLine(t *testing.T) {
	want := verityLine{data: guidRoot, hash: guidHash, rootHash: "971c3ba3"}
	for name, value := range map[string]string{
		"alone":             line,
		"behind another":    "x,,1,ro,0 1 linear 8:1 0;" + line,
		"second in a table": "root,,0,ro,0 8 linear 8:1 0," + line[len("root,,0,ro,"):],
	} {
		if got, ok := decodeVerityLine(value); !ok || got != want {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
	}
	for _, value := range []string{"", "a,b", "root,,0,ro,0 8 verity 1", strings.ReplaceAll(line, "PARTUUID", "UUID")} {
		if got, ok := decodeVerityLine(value); ok {
			t.Errorf("%q gave %+v", value, got)
		}
	}
}

func TestChooseBootDisk(t *testing.T) {
	root, _ := decodeVerityLine(line)
	a, b := product(t, "vda", guidESP), product(t, "vdb", guidESP)
	second := product(t, "vdb", "aaaaaaaa-0000-4000-8000-00000000000b") // the same image, installed by itself
	data := disk{name: "vdc", sizeBytes: 64 << 20, sectorSize: 512, table: gpt.New(gpt.MustGUID(guidOther), 64<<20, 512)}
	tests := []struct {
		name    string
		disks   []disk
		root    verityLine
		slaves  []string
		esp     string
		want    string
		warning string
	}{
		{"one", []disk{data, a}, root, nil, "", "vda", ""},
		{"clone, kernel took the second", []disk{a, b}, root, []string{"vdb2", "vdb3"}, guidESP, "vdb", "the kernel opened its root there"},
		{"clone, nothing known", []disk{a, b}, root, nil, "", "vda", "its name comes first"},
		{"installed twice, loader knows", []disk{a, second}, root, []string{"vda2"}, "aaaaaaaa-0000-4000-8000-00000000000b", "vdb", "the boot loader was started from it"},
		{"root elsewhere, loader knows", []disk{data, a}, verityLine{}, nil, guidESP, "vda", ""},
		{"none", []disk{data}, root, nil, guidESP, "", ""},
		{"no disk at all", nil, verityLine{}, nil, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warning, err := chooseBootDisk(tt.disks, tt.root, tt.slaves, func() string { return tt.esp })
			if (err != nil) != (tt.want == "") || got.name != tt.want {
				t.Errorf("chose %q, error %v, want %q", got.name, err, tt.want)
			}
			if (tt.warning == "") != (warning == "") || !strings.Contains(warning, tt.warning) {
				t.Errorf("warning %q, want %q", warning, tt.warning)
			}
		})
	}
	_, _, err := chooseBootDisk([]disk{a}, root, nil, func() string { t.Error("the loader was asked without need"); return "" })
	if err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for disk6, want := range map[string]string{"vda": "vda6", "nvme0n1": "nvme0n1p6", "mmcblk0": "mmcblk0p6"} {
		if got := (disk{name: disk6}).partitionName(6); got != want {
			t.Errorf("%s: %s, want %s", disk6, got, want)
		}
	}
	if got := slot(table(t, guidESP, "a"), guidRoot) + slot(table(t, guidESP, "b"), guidRoot) + slot(table(t, guidESP, "b"), guidOther); got != "ab" {
		t.Errorf("slots %q, want ab", got)
	}
}

func TestDecide(t *testing.T) {
	broken := errors.New("structure needs cleaning")
	used, fresh := &superblock{blocks: 1, blockSize: 4096, mounted: true}, &superblock{blocks: 1, blockSize: 4096}
	tests := []struct {
		name  string
		seen  observation
		reset bool
		mount error
		want  action
	}{
		{"a file system, to be reset", observation{superblock: used}, true, nil, actionRecreate},
		{"something foreign, to be reset", observation{}, true, nil, actionRecreate},
		{"a template half written, to be reset", observation{writing: true}, true, nil, actionRecreate},
		{"a disk that cannot be read, to be reset", observation{unreadable: broken, superblock: used}, true, nil, actionRefuse},
		{"a file system", observation{superblock: used}, false, nil, actionMount},
		{"a new file system", observation{superblock: fresh}, false, nil, actionMount},
		{"an empty partition", observation{blank: true}, false, nil, actionRecreate},
		{"a template half written", observation{writing: true}, false, nil, actionRecreate},
		{"a damaged file system never used", observation{superblock: fresh}, false, broken, actionRecreate},
		{"a damaged file system with data", observation{superblock: used}, false, broken, actionRefuse},
		{"something foreign", observation{}, false, nil, actionRefuse},
		{"a disk that cannot be read", observation{unreadable: broken, blank: true, writing: true}, false, nil, actionRefuse},
	}
	for _, tt := range tests {
		got := decide(tt.seen, tt.reset, tt.mount)
		if got.action != tt.want || (got.reason == "") != (tt.want == actionMount) {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
	}
}

// template is the start of an ext4 file system as large as says, zstd-compressed.
func template(t *testing.T, blocks uint32) (image, compressed []byte) {
	t.Helper()
	image = make([]byte, int(blocks)*4096)
	b := image[superblockOffset:]
	binary.LittleEndian.PutUint32(b[0x04:], blocks)
	binary.LittleEndian.PutUint32(b[0x18:], 2)
	binary.LittleEndian.PutUint16(b[0x38:], superblockMagic)
	copy(image[8192:], "a bitmap")
	copy(image[len(image)-100:], "the last block")
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(image)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return image, out.Bytes()
}

func TestObserve(t *testing.T) {
	image, _ := template(t, 64)
	const size = 12 << 20
	at := func(offset int, content string) []byte {
		b := make([]byte, size)
		copy(b[offset:], content)
		return b
	}
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"ext4", at(0, string(image)), "ext4"},
		{"blank", at(0, ""), "blank"},
		{"mark", at(0, writingMark), "writing"},
		{"a torn mark", at(0, writingMark[:20]), "blank"},
		{"the end of a mark", at(20, writingMark[20:]), "blank"},
		{"a torn mark over data", at(0, writingMark[:20]+"data"), "data"},
		{"data behind 1 MiB", at(1<<20, "x"), "data"},
		{"only a backup superblock", at(8193*1024+0x38, "x"), "data"},
		{"a header at the end", at(size-4096, "x"), "data"},
		{"too short", nil, "unreadable"},
	}
	for _, tt := range tests {
		o := observe(bytes.NewReader(tt.content), int64(len(tt.content)))
		got := "data"
		switch {
		case o.unreadable != nil:
			got = "unreadable"
		case o.superblock != nil:
			got = "ext4"
		case o.writing:
			got = "writing"
		case o.blank:
			got = "blank"
		}
		if got != tt.want {
			t.Errorf("%s: seen %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSuperblockOfMkfs(t *testing.T) {
	// The first 2048 bytes of what "mkfs.ext4 -b 4096" (1.47) makes of 128 MiB: 4 KiB blocks, metadata_csum, 64bit.
	head, err := os.ReadFile("testdata/mkfs-head")
	if err != nil {
		t.Fatal(err)
	}
	s, ok := decodeSuperblock(head)
	if want := (superblock{blocks: 32768, blockSize: 4096}); !ok || s != want {
		t.Errorf("got %+v, %v, want %+v", s, ok, want)
	}
	head[superblockOffset+0x40] ^= 1
	if _, ok := decodeSuperblock(head); ok {
		t.Error("a flipped bit was not noticed: s_checksum")
	}
}

// TestTemplateSurvivesPowerCuts cuts the power at every write: what is left is always either made again or whole.
func TestTemplateSurvivesPowerCuts(t *testing.T) {
	image, compressed := template(t, 64)
	const size = 1 << 20
	for cut := 1; ; cut++ {
		m := &memory{content: bytes.Repeat([]byte{0xaa}, size), cutAt: cut}
		clear(m.content[:headBytes/8]) // whatever was there; that it may go was decided before
		err := writeTemplate(m, size, bytes.NewReader(compressed))
		if err == nil {
			if !bytes.Equal(m.content[:len(image)], image) || m.content[len(image)] == 0xaa && len(image) < headBytes/8 {
				t.Error("the partition does not hold the template")
			}
			golden.Compare(t, "testdata/template-writes.txt", strings.Join(m.log, "\n")+"\n")
			return
		}
		if !errors.Is(err, errPowerCut) {
			t.Fatal(err)
		}
		seen := observe(m, size)
		if d := decide(seen, false, nil); cut > 1 && d.action != actionRecreate {
			t.Errorf("cut at write %d: %+v", cut, d)
		}
	}
}

func TestTemplateMustFit(t *testing.T) {
	_, compressed := template(t, 64)
	m := &memory{content: make([]byte, 4096)}
	if err := writeTemplate(m, 4096, bytes.NewReader(compressed)); err == nil || len(m.log) > 0 {
		t.Errorf("error %v, writes %v", err, m.log)
	}
	for name, garbage := range map[string]io.Reader{"no zstd": strings.NewReader("hello"), "cut": bytes.NewReader(compressed[:20])} {
		if err := writeTemplate(m, 4096, garbage); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestTableSurvivesPowerCuts grows a disk from 64 to 96 MiB and cuts the power at every write.
func TestTableSurvivesPowerCuts(t *testing.T) {
	const size = 96 << 20
	before := table(t, guidESP, "a")
	start := &memory{content: make([]byte, size)}
	if err := before.Write(start, start.Sync); err != nil {
		t.Fatal(err)
	}
	grown, changed, err := growTable(before, gpt.Primary, 6, size)
	if err != nil || !changed {
		t.Fatalf("changed %v, error %v", changed, err)
	}
	p := grown.Partition(6)
	golden.Compare(t, "testdata/grown.txt", fmt.Sprintf("sectors %d\nlast usable %d\nvar %d to %d\n", grown.Sectors, grown.LastUsableLBA, p.FirstLBA, p.LastLBA))
	for cut := 1; ; cut++ {
		m := &memory{content: bytes.Clone(start.content), cutAt: cut}
		err := grown.Update(m, m.Sync)
		now, source, decodeError := gpt.Decode(m, size, 512)
		if decodeError != nil || source != gpt.Primary {
			t.Fatalf("cut at write %d: %s table, %v: Linux would find no partitions", cut, source, decodeError)
		}
		if err == nil {
			if now.Partition(6).LastLBA != p.LastLBA {
				t.Error("the partition is not larger")
			}
			golden.Compare(t, "testdata/table-writes.txt", strings.Join(m.log, "\n")+"\n")
			break
		}
		if now.Partition(6).LastLBA != before.Partition(6).LastLBA {
			t.Errorf("cut at write %d: neither the old nor the new table", cut)
		}
	}
	if _, changed, _ := growTable(grown, gpt.Primary, 6, size); changed {
		t.Error("growing twice changes something")
	}
	if _, changed, _ := growTable(grown, gpt.Backup, 6, size); !changed {
		t.Error("a damaged primary is not repaired")
	}
}

func TestGrowth(t *testing.T) {
	s := superblock{blocks: 32768, blockSize: 4096}
	for _, tt := range []struct {
		length int64
		blocks uint64
		worth  bool
	}{{128 << 20, 32768, false}, {128<<20 + growWorthBytes - 1, 36863, false}, {1 << 30, 262144, true}, {64 << 20, 16384, false}} {
		if blocks, worth := growth(s, tt.length); blocks != tt.blocks || worth != tt.worth {
			t.Errorf("%d: %d blocks, worth %v", tt.length, blocks, worth)
		}
	}
}

func TestListDisksAndFind(t *testing.T) {
	root := t.TempDir()
	put := func(path string, content []byte) {
		full := filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	m := &memory{content: make([]byte, 64<<20)}
	if err := table(t, guidESP, "b").Write(m, m.Sync); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vdb", "loop0"} {
		put("sys/block/"+name+"/size", fmt.Append(nil, 64<<20/512, "\n"))
		put("sys/block/"+name+"/queue/logical_block_size", []byte("512\n"))
		put("sys/block/"+name+"/"+name+"1/partition", []byte("1\n"))
		put("dev/"+name, m.content)
	}
	put("sys/block/vdb/device/vendor", nil)
	o := Options{Root: root, VerityLine: line, LoaderPartUUID: func() string { return "" }}
	f := Find(o)
	if f.Disk != "/dev/vdb" || f.ESP != "/dev/vdb1" || f.Slot != "b" || f.RootHash != "971c3ba3" || f.missing != nil {
		t.Fatalf("found %+v", f)
	}
	if f.varDevice() != "/dev/vdb6" {
		t.Errorf("var is %s", f.varDevice())
	}
	if f := Find(Options{Root: t.TempDir(), LoaderPartUUID: o.LoaderPartUUID}); f.Disk != "" || !errors.Is(f.missing, errNoBootDisk) {
		t.Errorf("found %+v", f)
	}
}

func TestMakeLayout(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "lib/stele"), 0o777); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := makeLayout(root); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, d := range layout {
		info, err := os.Stat(filepath.Join(root, d.path))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %o", d.path, info.Mode().Perm()))
	}
	want := []string{"lib 755", "lib/stele 700", "lib/containerd 700", "log 755", "log/containers 700"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func FuzzDecodeSuperblock(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(func(t *testing.T, head []byte) {
		if s, ok := decodeSuperblock(head); ok && (s.sizeBytes() <= 0 || s.blockSize < 1024) {
			t.Errorf("accepted %+v", s)
		}
	})
}

func FuzzDecodeVerityLine(f *testing.F) {
	f.Add(line)
	f.Fuzz(func(t *testing.T, value string) {
		if v, ok := decodeVerityLine(value); ok && (len(v.data) != 36 || len(v.hash) != 36) {
			t.Errorf("accepted %+v", v)
		}
	})
}
