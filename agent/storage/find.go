package storage

import (
	"path/filepath"

	"github.com/stele-os/stele/internal/gpt"
)

// Options say where to look. Root is "/" on the machine.
type Options struct {
	Root string
	// VerityLine is the value of dm-mod.create= on the kernel command line.
	VerityLine string
	// LoaderPartUUID returns the PARTUUID of the ESP the loader was started from, "" where unknown. It may take its time.
	LoaderPartUUID func() string
	// Template opens the zstd-compressed file system image for /var.
	Template func() (Template, error)
}

// Found is the boot disk and what the boot says about it.
type Found struct {
	// Disk and ESP are devices such as "/dev/vda" and "/dev/vda1"; "" where there is none.
	Disk, ESP string
	// Slot is "a", "b" or "". RootHash is hexadecimal.
	Slot, RootHash string
	// Warning says why the choice of the disk was not plain.
	Warning string

	root string
	disk disk
	// part is the partition for /var, nil with missing as the reason.
	part    *gpt.Partition
	missing error
}

// Find finds the boot disk. A machine without one (started from memory) is Found with Disk "".
func Find(o Options) Found {
	line, _ := decodeVerityLine(o.VerityLine)
	f := Found{root: o.Root, RootHash: line.rootHash}
	chosen, warning, err := chooseBootDisk(listDisks(o.Root), line, rootSlaves(o.Root), o.LoaderPartUUID)
	if err != nil {
		f.missing = err
		return f
	}
	f.disk, f.Warning = chosen, warning
	f.Disk, f.Slot = "/dev/"+chosen.name, slot(chosen.table, line.data)
	if n := espPartition(chosen.table); n != 0 {
		f.ESP = "/dev/" + chosen.partitionName(n)
	}
	f.part, f.missing = varPartition(chosen.table)
	return f
}

// varDevice is the partition for /var, such as "/dev/vda6".
func (f Found) varDevice() string { return "/dev/" + f.disk.partitionName(f.part.Number) }

func (f Found) path(name string) string { return filepath.Join(f.root, name) }
