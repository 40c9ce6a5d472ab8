package storage

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/gpt"
)

var errNoBootDisk = errors.New("cannot find the boot disk: no disk holds the partitions that the kernel command line or the boot loader names")

// chooseBootDisk finds the disk the machine was started from.
//
// The disk that holds the root's partitions is it. Where several do (a clone, or the same image installed twice: the GUIDs of root
// partitions come from the root hash), the loader's own partition decides, then what the kernel opened as root, then the lowest
// name. esp is only asked for then: EFI variables are slow to come by. warning is not empty where the choice was not plain.
func chooseBootDisk(disks []disk, root verityLine, slaves []string, esp func() string) (chosen disk, warning string, err error) {
	candidates := keep(disks, func(d disk) bool { return d.partition(root.data) != nil && d.partition(root.hash) != nil })
	if len(candidates) == 1 {
		return candidates[0], "", nil
	}
	loader := esp()
	holdsLoader := func(d disk) bool { return loader != "" && d.partition(loader) != nil }
	if len(candidates) == 0 {
		candidates = keep(disks, holdsLoader)
		if len(candidates) == 0 {
			return disk{}, "", errNoBootDisk
		}
		if len(candidates) == 1 {
			return candidates[0], "", nil
		}
	}
	all := diskNames(candidates)
	reason := "its name comes first"
	if byLoader := keep(candidates, holdsLoader); len(byLoader) == 1 {
		return byLoader[0], equalDisks(all, byLoader[0], "the boot loader was started from it"), nil
	} else if len(byLoader) > 1 {
		candidates = byLoader
	}
	if byRoot := keep(candidates, func(d disk) bool { return holdsAny(d, slaves) }); len(byRoot) > 0 {
		candidates, reason = byRoot, "the kernel opened its root there"
	}
	return candidates[0], equalDisks(all, candidates[0], reason), nil
}

func equalDisks(all []string, chosen disk, reason string) string {
	return fmt.Sprintf("disks %s hold the same image; using %s, because %s", strings.Join(all, " and "), chosen.name, reason)
}

func holdsAny(d disk, partitions []string) bool {
	return slices.ContainsFunc(d.table.Partitions, func(p gpt.Partition) bool {
		return slices.Contains(partitions, d.partitionName(p.Number))
	})
}

func keep(disks []disk, wanted func(disk) bool) []disk {
	var kept []disk
	for _, d := range disks {
		if wanted(d) {
			kept = append(kept, d)
		}
	}
	return kept
}

func diskNames(disks []disk) []string {
	var names []string
	for _, d := range disks {
		names = append(names, d.name)
	}
	return names
}
