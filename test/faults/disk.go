package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
)

// onPartition opens a partition of a disk image that no machine uses.
func onPartition(disk, name string, do func(block.Device) error) error {
	d, err := block.OpenFile(disk)
	if err != nil {
		return err
	}
	defer d.Close()
	table, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		return err
	}
	p := table.ByName(name)
	if p == nil {
		return fmt.Errorf("disk %q has no partition %q", disk, name)
	}
	section, err := block.Section(d, table.StartBytes(*p), table.SizeBytes(*p))
	if err != nil {
		return err
	}
	return do(section)
}

func onESP(disk string, do func(*fat.Volume) error) error {
	return onPartition(disk, "esp", func(d block.Device) error {
		v, err := fat.Open(d)
		if err != nil {
			return err
		}
		return do(v)
	})
}

// flip turns one bit of a partition; done twice, nothing happened.
func flip(disk, partition string, at int64) error {
	return onPartition(disk, partition, func(d block.Device) error {
		var b [1]byte
		if _, err := d.ReadAt(b[:], at); err != nil {
			return err
		}
		b[0] ^= 1
		_, err := d.WriteAt(b[:], at)
		return errors.Join(err, d.Flush())
	})
}

// superblock is where one of EROFS begins (kernel, fs/erofs/erofs_fs.h, EROFS_SUPER_OFFSET): it is read at every mount.
const superblock = 1024

// treeTop is where the hash tree begins: its top block, read for whatever block of the root (kernel, admin-guide/device-mapper/verity.rst, "Hash Tree").
const treeTop = 4096

const entries = "EFI/Linux"

// bootEntry is the file name of a version's boot entry.
func bootEntry(v *fat.Volume, version string) (string, error) {
	list, err := v.List(entries)
	if err != nil {
		return "", err
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name, "stele_"+version+".efi") || strings.HasPrefix(e.Name, "stele_"+version+"+") {
			return e.Name, nil
		}
	}
	return "", fmt.Errorf("no boot entry of version %s among %v", version, list)
}

// truncate cuts a version's boot entry off in its kernel.
func truncate(disk, version string) error {
	return onESP(disk, func(v *fat.Volume) error {
		name, err := bootEntry(v, version)
		if err != nil {
			return err
		}
		file, err := v.OpenFile(entries + "/" + name)
		if err != nil {
			return err
		}
		half := make([]byte, file.Size()/2)
		if _, err := file.ReadAt(half, 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := v.Remove(entries + "/" + name); err != nil {
			return err
		}
		return v.Create(entries+"/"+name, int64(len(half)), bytes.NewReader(half))
	})
}

// espLeft is too little for another boot entry.
const espLeft = 4 << 20

// fillESP leaves espLeft of the ESP.
func fillESP(disk string) error {
	return onESP(disk, func(v *fat.Volume) error {
		free, err := v.FreeBytes()
		if err != nil {
			return err
		}
		return v.Create("filler", free-espLeft, io.LimitReader(zeroes{}, free-espLeft))
	})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
