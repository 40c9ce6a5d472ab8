package slotstest

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
)

// RootBytes is a good size of a root.
const RootBytes = 48 << 10

// Factory is a disk as the builder makes it, with v in slot a.
func Factory(t testing.TB, v Version) *block.Memory {
	t.Helper()
	digest, err := v.Info.RootDigest()
	if err != nil {
		t.Fatal(err)
	}
	first, second := gpt.FromUUID([16]byte(digest[:16])), gpt.FromUUID([16]byte(digest[16:]))
	const espBytes, slotBytes = 34 << 20, 1 << 20
	disk := block.NewMemory(espBytes+5*slotBytes+2<<20, gpt.DefaultSectorSize)
	table := gpt.New(gpt.GUID{9}, disk.SizeBytes(), disk.SectorSize())
	for _, p := range []struct {
		gpt.Partition
		size int64
	}{
		{gpt.Partition{Name: "esp", Type: gpt.TypeESP, GUID: gpt.GUID{1}}, espBytes},
		{gpt.Partition{Name: "root-a", Type: gpt.TypeRootX86_64, GUID: first}, slotBytes},
		{gpt.Partition{Name: "root-a-verity", Type: gpt.TypeRootX86_64Verity, GUID: second}, slotBytes},
		{gpt.Partition{Name: "root-b", Type: gpt.TypeRootX86_64, GUID: gpt.GUID{2}}, slotBytes},
		{gpt.Partition{Name: "root-b-verity", Type: gpt.TypeRootX86_64Verity, GUID: gpt.GUID{3}}, slotBytes},
		{gpt.Partition{Name: "var", Type: gpt.TypeVar, GUID: gpt.GUID{4}}, slotBytes},
	} {
		if _, err := table.Append(p.Partition, p.size); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Write(disk, disk.Flush); err != nil {
		t.Fatal(err)
	}
	file := func(path string, content []byte) fat.File {
		return fat.File{Path: path, Size: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
	}
	w := io.NewOffsetWriter(disk, table.StartBytes(table.Partitions[0]))
	err = fat.Write(w, fat.Params{SizeBytes: espBytes, Label: "ESP", Time: time.Unix(1e9, 0)}, []fat.File{
		file("EFI/BOOT/BOOTX64.EFI", []byte("boot loader")), file("loader/loader.conf", []byte("timeout 0\n")),
		file("EFI/Linux/stele_"+v.Info.Version+".efi", v.UKI),
	})
	if err != nil {
		t.Fatal(err)
	}
	place(t, disk, table.StartBytes(table.Partitions[1]), v.Root)
	place(t, disk, table.StartBytes(table.Partitions[2]), v.Tree)
	return disk
}

func place(t testing.TB, d block.Device, at int64, content []byte) {
	t.Helper()
	if _, err := d.WriteAt(content, at); err != nil {
		t.Fatal(err)
	}
}
