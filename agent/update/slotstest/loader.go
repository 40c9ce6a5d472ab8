package slotstest

import (
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
)

// ESP opens the ESP of a disk.
func ESP(t testing.TB, d block.Device) *fat.Volume {
	t.Helper()
	table, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		t.Fatal(err)
	}
	section, err := block.Section(d, table.StartBytes(table.Partitions[0]), table.SizeBytes(table.Partitions[0]))
	if err != nil {
		t.Fatal(err)
	}
	volume, err := fat.Open(section)
	if err != nil {
		t.Fatal(err)
	}
	return volume
}

// Load does what the loader does at a start: it chooses an entry, counts a try and returns the version. Whether that boots is not looked at.
func Load(t testing.TB, d block.Device) (version string) {
	t.Helper()
	esp := ESP(t, d)
	files, err := esp.List("EFI/Linux")
	if err != nil {
		t.Fatal(err)
	}
	var names []bls.Name
	for _, f := range files {
		if name, err := bls.ParseName(f.Name); err == nil {
			names = append(names, name)
		}
	}
	chosen, found := bls.Choose(names)
	if !found {
		t.Fatal("the loader finds no entry")
	}
	if _, err := bootmodel.CountTry(d); err != nil {
		t.Fatal(err)
	}
	return chosen.Version
}

// Entries lists the files beside each other in the loader's directory.
func Entries(t testing.TB, d block.Device) (names []string) {
	t.Helper()
	files, err := ESP(t, d).List("EFI/Linux")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}
