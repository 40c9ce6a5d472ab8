package containers

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/stele-os/stele/agent/capability"
	"github.com/stele-os/stele/agent/plan"
)

// defaultCapabilities are Podman's: Docker's and containerd's without CAP_MKNOD and CAP_AUDIT_WRITE, which no program of a container needs, and without CAP_NET_RAW:
// containers share the machine's network, where it would let each of them read every packet and forge any. Ping works without it (net.ipv4.ping_group_range).
var defaultCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
	"CAP_SETUID", "CAP_SYS_CHROOT",
}

// capabilitySet is the default set without what is dropped, with what is added, sorted. Adding wins over dropping, as in Docker: drop ALL, add one.
// All of them are those that the machine gives: asking runc for another one would fail the container.
func capabilitySet(s plan.Security) []string {
	if s.Privileged {
		return capability.Given()
	}
	set := slices.Clone(defaultCapabilities)
	if slices.Contains(s.DropCaps, capability.All) {
		set = nil
	}
	set = slices.DeleteFunc(set, func(c string) bool { return slices.Contains(s.DropCaps, c) })
	if slices.Contains(s.AddCapabilities, capability.All) {
		return slices.DeleteFunc(capability.Given(), func(c string) bool { return slices.Contains(s.DropCaps, c) })
	}
	set = append(set, s.AddCapabilities...)
	slices.Sort(set)
	return slices.Compact(set)
}

// effective capabilities: a process that is not root has none until it executes a file that gives them.
func effective(set []string, u user) []string {
	if u.UID != 0 {
		return nil
	}
	return set
}

// maskedPaths and readonlyPaths are those of containerd's default specification, and what root in a container could else read of the machine: where the kernel
// keeps its things in memory, which pages are whose, and the firmware's tables, which /sys/firmware has, too (a seed of the document may stand in them).
var (
	maskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",

		"/proc/iomem", "/proc/ioports", "/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/pagetypeinfo", "/proc/slabinfo", "/proc/vmallocinfo",
		"/sys/devices/virtual/dmi",
	}
	readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// defaultDeviceRules let a container use and make the usual harmless devices. runc adds the rules for those it creates itself.
func defaultDeviceRules() []specs.LinuxDeviceCgroup {
	return []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
}

// privilege opens the machine to a container: all devices, nothing masked, no seccomp, a writable /sys and cgroup tree.
func privilege(spec *specs.Spec) {
	spec.Linux.Resources.Devices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	for i, m := range spec.Mounts {
		switch m.Destination {
		case "/sys", "/sys/fs/cgroup":
			spec.Mounts[i].Options = slices.DeleteFunc(slices.Clone(m.Options), func(o string) bool { return o == "ro" })
		case "/dev":
			spec.Mounts[i] = specs.Mount{Destination: "/dev", Type: "bind", Source: "/dev", Options: []string{"rbind", "nosuid", "noexec"}}
		}
	}
	spec.Mounts = slices.DeleteFunc(spec.Mounts, func(m specs.Mount) bool { return strings.HasPrefix(m.Destination, "/dev/") })
}
