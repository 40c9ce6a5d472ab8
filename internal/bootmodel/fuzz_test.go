package bootmodel

import (
	"testing"
)

// FuzzBoot: whatever bytes lie in the file system, its directories or its images, there is an answer.
func FuzzBoot(f *testing.F) {
	v := newVersion(f, "1.0.0")
	base := newDisk(f, slot{v, "stele_1.0.0+1.efi"}, slot{}, guard())
	esp := partitionStart(f, base, "esp")
	firm, err := findFirmware(base)
	if err != nil {
		f.Fatal(err)
	}
	areas := []int64{0, 512, 1024, esp, esp + firm.esp.tableStart}
	for _, path := range []string{"EFI", "EFI/Linux", "EFI/Linux/stele_1.0.0+1.efi", "loader/loader.conf"} {
		file, err := firm.esp.find(path)
		if err != nil {
			f.Fatal(err)
		}
		areas = append(areas, esp+firm.esp.dataStart+int64(file.first-2)*firm.esp.clusterBytes)
	}
	f.Add(uint8(3), uint16(11), []byte{0, 2, 0})
	f.Add(uint8(4), uint16(0), []byte{0xff, 0xff, 0xff, 0x0f, 2, 0, 0, 0})
	f.Add(uint8(6), uint16(64), []byte{0xe5})
	f.Add(uint8(7), uint16(0x3c), []byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, area uint8, offset uint16, patch []byte) {
		d := base.Clone()
		at := areas[int(area)%len(areas)] + int64(offset)
		if len(patch) > 4096 {
			patch = patch[:4096]
		}
		if _, err := d.WriteAt(patch, at); err != nil {
			t.Skip()
		}
		if r := Boot(d); (r.Err == nil) != (r.Entry != "") {
			t.Fatal(r)
		}
	})
}

// FuzzParseTable: a table that is read has a device size that fits an int64.
func FuzzParseTable(f *testing.F) {
	v := newVersion(f, "1.0.0")
	firm, err := findFirmware(newDisk(f, slot{v, "stele_1.0.0.efi"}, slot{}))
	if err != nil {
		f.Fatal(err)
	}
	candidates, err := firm.candidates()
	if err != nil {
		f.Fatal(err)
	}
	line, err := imageReader{firm.esp, candidates[0].file}.section(".cmdline")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(line))
	f.Fuzz(func(t *testing.T, line string) {
		if table, err := parseTable(line); err == nil && (table.blocks <= 0 || table.blocks >= 1<<40) {
			t.Fatal(table.blocks)
		}
	})
}
