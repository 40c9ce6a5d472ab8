package containers

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/stele-os/stele/agent/plan"
)

// defaultCapabilities are those of Docker and containerd without CAP_NET_RAW: containers share the machine's network, where it would let each of them
// read every packet and forge any. Ping works without it (net.ipv4.ping_group_range).
var defaultCapabilities = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}

// allCapabilities of Linux 6.12 (include/uapi/linux/capability.h), in their order.
var allCapabilities = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID
	CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE
	CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME
	CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG
	CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`)

const everyCapability = "CAP_ALL"

// capabilitySet is the default set without what is dropped, with what is added, sorted. Adding wins over dropping, as in Docker: drop ALL, add one.
func capabilitySet(s plan.Security) []string {
	if s.Privileged {
		return allCapabilities
	}
	set := slices.Clone(defaultCapabilities)
	if slices.Contains(s.DropCaps, everyCapability) {
		set = nil
	}
	set = slices.DeleteFunc(set, func(c string) bool { return slices.Contains(s.DropCaps, c) })
	if slices.Contains(s.AddCapabilities, everyCapability) {
		return slices.DeleteFunc(slices.Clone(allCapabilities), func(c string) bool { return slices.Contains(s.DropCaps, c) })
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

// maskedPaths and readonlyPaths are those of containerd's default specification.
var (
	maskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
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
