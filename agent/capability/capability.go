// Package capability knows the capabilities of Linux by name and number (capabilities(7)), and which of them this machine gives to nobody.
//
// Every process of a machine descends from PID 1, so what PID 1 drops from its bounding set exists nowhere: no container has it, privileged or not, and no
// hole in runc or containerd brings it back. Two sets are dropped (TestWithheld, TestChildrenAreConfined):
//
//	Nobody   by PID 1, before anything else runs   what this kernel has no use for
//	Agent    by containerd, at its start           what PID 1 alone may do, and what would outlive the verified root
//
// Seccomp filters on containerd were considered for the same end. They would bind its containers too, privileged ones included, and refuse nothing that is left:
// modules, kexec, io_uring, iopl and accounting are not in the kernel (kernel-configs), and restarting is one of these capabilities.
// No_new_privs on containerd would take allowPrivilegeEscalation from every document for ever; no file of the machine's own is setuid (TestBaseIsHarmless), and
// every mount of it says nosuid.
package capability

import (
	"slices"
	"strings"
)

// Prefix of the kernel's names, which documents leave out.
const Prefix = "CAP_"

// All stands for every capability, in documents without its prefix.
const All = Prefix + "ALL"

// Names of Linux 6.12 (include/uapi/linux/capability.h). A name's place is its number.
var Names = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID
	CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE
	CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME
	CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG
	CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`)

// Withheld is a capability that no container can have.
type Withheld struct {
	Name string
	// Reason says why, and what there is instead.
	Reason string
}

// Nobody has these.
var Nobody = []Withheld{
	{"CAP_SYS_MODULE", "this kernel loads no modules"},
	{"CAP_SYS_PACCT", "this kernel keeps no process accounts"},
	{"CAP_MAC_OVERRIDE", "this kernel has no labels to override"},
	{"CAP_MAC_ADMIN", "this kernel has no labels to change"},
	{"CAP_AUDIT_CONTROL", "this kernel keeps no audit trail"},
	{"CAP_AUDIT_READ", "this kernel keeps no audit trail"},
}

// Agent alone has these.
var Agent = []Withheld{
	{"CAP_SYS_BOOT", "the machine is restarted by its API"},
	// The agent itself needs it for one kernel parameter, vm.mmap_min_addr (security/min_addr.c).
	{"CAP_SYS_RAWIO", "raw commands reach the firmware of disks, where a change outlives every image"},
}

// WithheldReason says why no container can have a capability; false where it can.
func WithheldReason(name string) (string, bool) {
	for _, list := range [][]Withheld{Nobody, Agent} {
		for _, w := range list {
			if w.Name == name {
				return w.Reason, true
			}
		}
	}
	return "", false
}

// Given are those that a container may have, in the kernel's order.
func Given() []string {
	return slices.DeleteFunc(slices.Clone(Names), func(name string) bool {
		_, withheld := WithheldReason(name)
		return withheld
	})
}

// Mask is a set as the kernel writes it in /proc/PID/status: bit n is capability n.
func Mask(names []string) (mask uint64) {
	for _, name := range names {
		if i := slices.Index(Names, name); i >= 0 {
			mask |= 1 << i
		}
	}
	return mask
}
