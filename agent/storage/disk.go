package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stele-os/stele/internal/gpt"
)

// disk is one block device with a partition table.
type disk struct {
	name       string // such as "vda"
	sizeBytes  int64
	sectorSize int64
	table      *gpt.Table
	source     gpt.Source
}

// partition returns the partition with this GUID, or nil.
func (d disk) partition(guid string) *gpt.Partition {
	for i, p := range d.table.Partitions {
		if p.GUID.String() == guid {
			return &d.table.Partitions[i]
		}
	}
	return nil
}

// partitionName is the kernel's name of a partition: a "p" stands between a disk's trailing digit and the number (block/partitions/core.c).
func (d disk) partitionName(number int) string {
	if last := d.name[len(d.name)-1]; last >= '0' && last <= '9' {
		return d.name + "p" + strconv.Itoa(number)
	}
	return d.name + strconv.Itoa(number)
}

// listDisks reads the partition tables of all disks below root, sorted by name. Devices without hardware behind them (loop, dm,
// ram) have no "device" in sysfs. A disk on which the kernel found no partitions is not opened at all: an empty CD-ROM drive
// takes 150 ms to say so (measured with QEMU's). What has no readable table is left out.
func listDisks(root string) []disk {
	entries, _ := os.ReadDir(filepath.Join(root, "sys/block"))
	var disks []disk
	for _, e := range entries {
		sys := filepath.Join(root, "sys/block", e.Name())
		partitions, _ := filepath.Glob(filepath.Join(sys, "*/partition"))
		if _, err := os.Stat(filepath.Join(sys, "device")); err != nil || len(partitions) == 0 {
			continue
		}
		d := disk{name: e.Name(), sizeBytes: readNumber(sys, "size") * 512, sectorSize: readNumber(sys, "queue/logical_block_size")}
		if d.sizeBytes == 0 || d.sectorSize == 0 {
			continue
		}
		file, err := os.Open(filepath.Join(root, "dev", d.name))
		if err != nil {
			continue
		}
		d.table, d.source, err = gpt.Decode(file, d.sizeBytes, d.sectorSize)
		file.Close()
		if err == nil {
			disks = append(disks, d)
		}
	}
	slices.SortFunc(disks, func(a, b disk) int { return strings.Compare(a.name, b.name) })
	return disks
}

// readNumber reads a sysfs attribute; 0 where it is missing. Sizes in sysfs count 512 bytes whatever the disk's sectors are.
func readNumber(dir, attribute string) int64 {
	content, err := os.ReadFile(filepath.Join(dir, attribute))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	return n
}

// rootSlaves lists the partitions under the device-mapper device of the root (always dm-0: dm-mod.create= runs before anything else).
func rootSlaves(root string) []string {
	entries, _ := os.ReadDir(filepath.Join(root, "sys/block/dm-0/slaves"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// varPartition returns the partition for /var: of the DPS type var, the one with that name before others, then the lowest number.
func varPartition(t *gpt.Table) (*gpt.Partition, error) {
	var found *gpt.Partition
	for i, p := range t.Partitions {
		if p.Type == gpt.TypeVar && (found == nil || p.Name == "var" && found.Name != "var") {
			found = &t.Partitions[i]
		}
	}
	if found == nil {
		return nil, fmt.Errorf("cannot find a partition of type var (%s)", gpt.TypeVar)
	}
	return found, nil
}

// espPartition returns the number of the EFI system partition, 0 where there is none.
func espPartition(t *gpt.Table) int {
	for _, p := range t.Partitions {
		if p.Type == gpt.TypeESP {
			return p.Number
		}
	}
	return 0
}
