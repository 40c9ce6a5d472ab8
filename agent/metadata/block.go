package metadata

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// candidates lists the block devices that may carry a metadata volume: every disk but the boot disk, and its partitions, in the
// order of their names. Only /sys is read for it.
func candidates(root, bootDisk string) []string {
	disks, err := os.ReadDir(filepath.Join(root, "/sys/block"))
	if err != nil {
		return nil
	}
	var out []string
	for _, d := range disks {
		name := d.Name()
		if isVirtual(name) || name == strings.TrimPrefix(bootDisk, "/dev/") || isEmpty(root, name) {
			continue
		}
		out = append(out, name)
		out = append(out, partitions(root, name)...)
	}
	return out
}

// isVirtual names devices that the kernel or we make; no host puts metadata there.
func isVirtual(name string) bool {
	for _, prefix := range []string{"loop", "ram", "zram", "dm-", "md", "nbd", "fd"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// isEmpty tells whether a drive has no medium, as far as its size tells.
func isEmpty(root, disk string) bool {
	b, err := os.ReadFile(filepath.Join(root, "/sys/block", disk, "size"))
	return err == nil && strings.TrimSpace(string(b)) == "0"
}

// partitions of a disk: the directories below it that have a file "partition".
func partitions(root, disk string) []string {
	entries, err := os.ReadDir(filepath.Join(root, "/sys/block", disk))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), disk) {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, "/sys/block", disk, e.Name(), "partition")); err == nil {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

// probe reads the labels of a device. One that cannot be opened or read (a drive without medium) has none.
func probe(path string) []volume {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	return labels(f)
}
