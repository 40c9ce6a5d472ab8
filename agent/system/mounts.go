package system

import "golang.org/x/sys/unix"

// Mount is one row of the mount table.
type Mount struct {
	Source string
	Target string
	// Type of the file system; empty: what is mounted there already gets the flags.
	Type  string
	Flags uintptr
	Data  string
	// ByKernel: the kernel may have mounted it already (CONFIG_DEVTMPFS_MOUNT); then only the flags are set.
	ByKernel bool
	// Optional: absent on some kernels or machines; a failure is no error.
	Optional bool
	// Late: not needed to reach /var; mounted beside everything else.
	Late bool
	// Why a flag is missing or an option is there.
	Why string
}

const hardened = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// Mounts is the whole mount table but for /var (agent/storage). Rows stand in the order in which they are mounted.
// bpffs is absent: nothing here pins BPF objects, and device control groups work without it. debugfs and tracefs are never mounted.
var Mounts = []Mount{
	{Target: "/", Flags: unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV,
		Why: "the machine's two programs; roots of containers are mounts of their own"},
	{Source: "devtmpfs", Target: "/dev", Type: "devtmpfs", Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "mode=0755", ByKernel: true,
		Why: "devices are what it is for"},
	{Source: "proc", Target: "/proc", Type: "proc", Flags: hardened},
	{Source: "sysfs", Target: "/sys", Type: "sysfs", Flags: hardened},
	{Source: "tmpfs", Target: "/run", Type: "tmpfs", Flags: hardened, Data: "mode=0755,size=25%"},
	{Source: "tmpfs", Target: "/tmp", Type: "tmpfs", Flags: hardened, Data: "mode=1777,size=25%"},
	{Source: "cgroup2", Target: "/sys/fs/cgroup", Type: "cgroup2", Flags: hardened, Data: "nsdelegate,memory_recursiveprot",
		Why: "nsdelegate: a container's control group namespace is a border; memory_recursiveprot: protection reaches the leaves"},
	{Source: "devpts", Target: "/dev/pts", Type: "devpts", Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "mode=0600,ptmxmode=0000",
		Late: true, Why: "terminals are devices; nobody but the agent opens one here"},
	{Source: "tmpfs", Target: "/dev/shm", Type: "tmpfs", Flags: hardened, Data: "mode=1777,size=25%", Late: true},
	{Source: "mqueue", Target: "/dev/mqueue", Type: "mqueue", Flags: hardened, Late: true, Optional: true},
	{Source: "securityfs", Target: "/sys/kernel/security", Type: "securityfs", Flags: hardened, Late: true, Optional: true},
	{Source: "pstore", Target: "/sys/fs/pstore", Type: "pstore", Flags: hardened, Late: true, Optional: true,
		Why: "what the last kernel said before it died"},
	{Source: "efivarfs", Target: "/sys/firmware/efi/efivars", Type: "efivarfs", Flags: hardened | unix.MS_RDONLY, Late: true, Optional: true,
		Why: "variables are read only: some firmware does not survive a full or emptied NVRAM"},
}
