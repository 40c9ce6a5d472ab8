package gpt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

const testDiskBytes = 16 << 20

// memDisk is a disk in memory.
type memDisk []byte

func (d memDisk) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(d).ReadAt(p, off) }
func (d memDisk) WriteAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > int64(len(d)) {
		return 0, errors.New("behind the end of the disk")
	}
	return copy(d[off:], p), nil
}

func noSync() error { return nil }

func testTable(t *testing.T, sizeBytes, sectorSize int64) *Table {
	t.Helper()
	table := New(MustGUID("11111111-2222-8333-8444-555555555555"), sizeBytes, sectorSize)
	for _, p := range []Partition{
		{Type: TypeESP, GUID: MustGUID("aaaaaaaa-0000-8000-8000-000000000001"), Name: "esp"},
		{Type: TypeRootX86_64, GUID: MustGUID("aaaaaaaa-0000-8000-8000-000000000002"), Name: "root-ä-𝄞", Attributes: AttributeReadOnly},
		{Type: TypeVar, GUID: MustGUID("aaaaaaaa-0000-8000-8000-000000000003"), Name: "var", Attributes: AttributeGrowFS},
	} {
		if _, err := table.Append(p, 3<<20); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func written(t *testing.T, table *Table) memDisk {
	t.Helper()
	disk := make(memDisk, int64(table.Sectors)*table.SectorSize)
	if err := table.Write(disk, noSync); err != nil {
		t.Fatal(err)
	}
	return disk
}

func TestRoundTrip(t *testing.T) {
	for _, sector := range []int64{512, 4096} {
		want := testTable(t, testDiskBytes, sector)
		got, source, err := Decode(written(t, want), testDiskBytes, sector)
		if err != nil || source != Primary {
			t.Fatalf("sector %d: %v %v", sector, source, err)
		}
		if got.DiskGUID != want.DiskGUID || len(got.Partitions) != 3 {
			t.Fatalf("sector %d: %+v", sector, got)
		}
		for i := range want.Partitions {
			if got.Partitions[i] != want.Partitions[i] {
				t.Errorf("sector %d: %+v, not %+v", sector, got.Partitions[i], want.Partitions[i])
			}
		}
	}
}

func TestDecodeFallsBackToBackup(t *testing.T) {
	for name, offset := range map[string]int{"header": 512 + 60, "entries": 1024 + 3, "signature": 512} {
		disk := written(t, testTable(t, testDiskBytes, 512))
		disk[offset] ^= 1
		table, source, err := Decode(disk, testDiskBytes, 512)
		if err != nil || source != Backup || len(table.Partitions) != 3 {
			t.Errorf("%s: %v %v", name, source, err)
		}
		disk[len(disk)-512+60] ^= 1
		if _, _, err := Decode(disk, testDiskBytes, 512); err == nil || !strings.Contains(err.Error(), "backup: LBA 32767: header checksum") {
			t.Errorf("%s, both damaged: %v", name, err)
		}
	}
}

// TestWriteSurvivesPowerCut cuts changes after every written sector: the table read is always the old or the new one.
func TestWriteSurvivesPowerCut(t *testing.T) {
	cut := errors.New("power cut")
	for name, try := range map[string]struct {
		diskBytes int64
		change    func(*Table)
	}{
		"set PARTUUID": {testDiskBytes, func(t *Table) { t.Partition(2).GUID = MustGUID("bbbbbbbb-0000-8000-8000-000000000002") }},
		"grow":         {testDiskBytes + 4<<20, func(t *Table) { t.GrowDisk(testDiskBytes + 4<<20); t.GrowPartition(3) }},
	} {
		before := testTable(t, testDiskBytes, 512)
		old := append(written(t, before), make(memDisk, try.diskBytes-testDiskBytes)...)
		after := before.Clone()
		try.change(after)
		var err error
		for sectors := 0; sectors == 0 || err != nil; sectors++ {
			disk := append(memDisk{}, old...)
			err = after.Write(&cutDisk{disk, sectors, cut}, noSync)
			got, _, decodeErr := Decode(disk, try.diskBytes, 512)
			if decodeErr != nil {
				t.Fatalf("%s, cut after %d sectors: %v", name, sectors, decodeErr)
			}
			if !slices.Equal(got.Partitions, before.Partitions) && !slices.Equal(got.Partitions, after.Partitions) {
				t.Fatalf("%s, cut after %d sectors: %+v", name, sectors, got.Partitions)
			}
		}
	}
}

type cutDisk struct {
	memDisk
	left int
	cut  error
}

func (d *cutDisk) WriteAt(p []byte, off int64) (int, error) {
	for n := 0; n < len(p); n += 512 {
		if d.left == 0 {
			return n, d.cut
		}
		d.left--
		d.memDisk.WriteAt(p[n:n+512], off+int64(n))
	}
	return len(p), nil
}

func TestGrow(t *testing.T) {
	disk := written(t, testTable(t, testDiskBytes, 512))
	larger := append(disk, make(memDisk, 8<<20)...)
	table, _, err := Decode(larger, int64(len(larger)), 512)
	if err != nil {
		t.Fatal(err)
	}
	if !table.GrowDisk(int64(len(larger))) || table.GrowDisk(int64(len(larger))) || table.GrowDisk(testDiskBytes) {
		t.Error("GrowDisk changes once, and never shrinks")
	}
	if changed, err := table.GrowPartition(3); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if changed, _ := table.GrowPartition(1); changed {
		t.Error("partition 1 has no room to grow")
	}
	if got, want := table.SizeBytes(*table.ByName("var")), int64(16<<20); got != want {
		t.Errorf("var is %d bytes, not %d", got, want)
	}
	if err := table.Write(larger, noSync); err != nil {
		t.Fatal(err)
	}
	sgdiskVerify(t, larger)
}

func TestValidateRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*Table){
		"overlaps partition 1": func(t *Table) { t.Partition(2).FirstLBA = t.Partition(1).LastLBA },
		"same GUID":            func(t *Table) { t.Partition(2).GUID = t.Partition(1).GUID },
		"leave the usable":     func(t *Table) { t.Partition(3).LastLBA = t.Sectors - 1 },
		"its type is zero":     func(t *Table) { t.Partition(3).Type = GUID{} },
		"code units":           func(t *Table) { t.Partition(3).Name = strings.Repeat("𝄞", 19) },
		"stands behind":        func(t *Table) { t.Partition(3).Number = 1 },
	} {
		table := testTable(t, testDiskBytes, 512)
		spoil(table)
		if _, err := table.PrimarySteps(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestGUIDText(t *testing.T) {
	const text = "4d21b016-b534-45c2-a9fb-5c16e091fd2d"
	g := MustGUID(text)
	if g.String() != text || g[0] != 0x16 || FromUUID(g.UUID()) != g {
		t.Errorf("%s %x", g, g[:])
	}
	if _, err := ParseGUID("4d21b016b534-45c2-a9fb-5c16e091fd2d-"); err == nil {
		t.Error("a GUID of the wrong form was accepted")
	}
}

func TestSgdiskFindsNoProblem(t *testing.T) {
	disk := written(t, testTable(t, testDiskBytes, 512))
	path := sgdiskVerify(t, disk)
	info := oracle.Run(t, "sgdisk", "-i", "3", path)
	for _, want := range []string{"4D21B016-B534-45C2-A9FB-5C16E091FD2D", "AAAAAAAA-0000-8000-8000-000000000003", "0800000000000000", "'var'"} {
		if !strings.Contains(info, want) {
			t.Errorf("sgdisk -i does not say %q:\n%s", want, info)
		}
	}
}

func sgdiskVerify(t *testing.T, disk []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, disk, 0o644); err != nil {
		t.Fatal(err)
	}
	out := oracle.Run(t, "sgdisk", "-v", path)
	if !strings.Contains(out, "No problems found") {
		t.Fatalf("sgdisk -v:\n%s", out)
	}
	return path
}
