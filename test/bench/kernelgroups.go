package main

import (
	"cmp"
	"slices"
	"strings"
)

// kernelGroups are the parts of a kernel that people ask about, by directories of its source; of several matching ones the longest counts.
var kernelGroups = []struct {
	name        string
	directories []string
}{
	{"core", []string{"init", "kernel", "mm", "lib", "arch", "ipc", "certs", "virt", "drivers/base", "drivers/of", "drivers/irqchip", "drivers/clocksource", "io_uring"}},
	{"file systems", []string{"fs"}},
	{"block layer, verity", []string{"block", "drivers/md"}},
	{"network protocols", []string{"net"}},
	{"security, cryptography", []string{"security", "crypto", "arch/x86/crypto", "arch/arm64/crypto", "lib/crypto"}},
	{"network cards", []string{"drivers/net/ethernet", "drivers/net/phy", "drivers/net/mdio"}},
	{"virtual network devices", []string{"drivers/net"}},
	{"disks", []string{"drivers/ata", "drivers/nvme", "drivers/scsi", "drivers/message", "drivers/block", "drivers/cdrom", "drivers/mmc"}},
	{"hypervisors", []string{"drivers/virtio", "drivers/hv", "drivers/xen", "drivers/net/hyperv", "drivers/net/vmxnet3", "arch/x86/hyperv", "arch/x86/xen", "drivers/ptp"}},
	{"USB, input", []string{"drivers/usb", "drivers/hid", "drivers/input"}},
	{"ACPI, EFI, PCI, IOMMU", []string{"drivers/acpi", "drivers/firmware", "drivers/pci", "drivers/iommu"}},
	{"other drivers", []string{"drivers", "sound"}},
}

// KernelGroup is what a group brings into the kernel before compression.
type KernelGroup struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// groupKernel sums the sizes of directories by group, largest first. A directory that no group has is "core".
func groupKernel(directories map[string]int64) []KernelGroup {
	sums := map[string]int64{}
	for directory, bytes := range directories {
		sums[kernelGroup(directory)] += bytes
	}
	var groups []KernelGroup
	for name, bytes := range sums {
		groups = append(groups, KernelGroup{name, bytes})
	}
	slices.SortFunc(groups, func(a, b KernelGroup) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	return groups
}

func kernelGroup(directory string) string {
	best, name := "", kernelGroups[0].name
	for _, g := range kernelGroups {
		for _, prefix := range g.directories {
			if len(prefix) > len(best) && strings.HasPrefix(directory+"/", prefix+"/") {
				best, name = prefix, g.name
			}
		}
	}
	return name
}
