package gpt

import (
	"bytes"
	"hash/crc32"
	"testing"
)

// fuzzDiskBytes is the smallest disk that holds both copies and a few usable sectors.
const fuzzDiskBytes = 80 * 512

// FuzzDecode feeds arbitrary disk starts; what decodes and validates must survive being written and read again.
func FuzzDecode(f *testing.F) {
	table := New(MustGUID("11111111-2222-8333-8444-555555555555"), fuzzDiskBytes, 512)
	table.Partitions = []Partition{{Number: 2, Type: TypeVar, GUID: MustGUID("aaaaaaaa-0000-8000-8000-000000000003"), FirstLBA: 36, LastLBA: 39, Name: "var"}}
	steps, err := table.PrimarySteps()
	if err != nil {
		f.Fatal(err)
	}
	start := bytes.Join([][]byte{table.encodeProtectiveMBR(), steps[1].Data, steps[0].Data[:512]}, nil)
	f.Add(start, false)
	f.Add(start, true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, start []byte, repair bool) {
		disk := make(memDisk, fuzzDiskBytes)
		copy(disk, start)
		if repair {
			repairChecksums(disk)
		}
		table, _, err := Decode(disk, fuzzDiskBytes, 512)
		if err != nil || table.Validate() != nil {
			return
		}
		again := make(memDisk, fuzzDiskBytes)
		if err := table.Write(again, noSync); err != nil {
			return // a name that is not valid UTF-16 may grow when it is encoded again
		}
		got, _, err := Decode(again, fuzzDiskBytes, 512)
		if err != nil || len(got.Partitions) != len(table.Partitions) {
			t.Fatalf("%v: %+v, not %+v", err, got, table)
		}
	})
}

// repairChecksums lets mutations get past the CRCs.
func repairChecksums(disk memDisk) {
	h := disk[512:1024]
	le.PutUint32(h[88:], crc32.ChecksumIEEE(disk[1024:1024+entryCount*entrySize]))
	clear(h[16:20])
	le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:headerSize]))
}
