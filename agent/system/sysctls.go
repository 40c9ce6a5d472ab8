package system

// Parameter is one kernel parameter with the reason for its value.
type Parameter struct {
	Name   string
	Value  string
	Reason string
}

// Parameters are set at every boot, before a document's own. One the kernel does not have is skipped and counted.
// The direction is that of the Kernel Self Protection Project, less what a host of containers needs.
var Parameters = []Parameter{
	// A machine that is broken restarts by itself.
	{"kernel.panic", "-1", "a panic reboots at once; the end of PID 1 is such a panic"},
	{"kernel.panic_on_oops", "1", "an oops leaves the kernel in an unknown state"},
	{"kernel.oops_limit", "100", "the same, where a document turns panic_on_oops off"},
	{"kernel.warn_limit", "100", "a kernel that warns without end is being probed, or broken"},

	// What the kernel tells about itself helps nobody but an attacker.
	{"kernel.kptr_restrict", "2", "kernel addresses are hidden from everyone"},
	{"kernel.dmesg_restrict", "1", "the kernel log needs CAP_SYSLOG"},
	{"kernel.perf_event_paranoid", "3", "performance counters need CAP_PERFMON"},
	{"kernel.randomize_va_space", "2", "address space layout randomisation, heap included"},

	// Parts of the kernel that containers do not need by default.
	{"kernel.unprivileged_bpf_disabled", "1", "BPF needs CAP_BPF, until the next boot"},
	{"net.core.bpf_jit_harden", "2", "constants in BPF programs are blinded for everyone"},
	{"kernel.io_uring_disabled", "2", "io_uring only where a document asks for it (spec.sysctls, 0): many kernel holes began there"},
	{"kernel.kexec_load_disabled", "1", "a kernel is started by the firmware, signed"},
	{"kernel.yama.ptrace_scope", "2", "only CAP_SYS_PTRACE may look into another process"},
	{"kernel.sysrq", "0", "keys on a console do not command the kernel"},
	{"vm.unprivileged_userfaultfd", "0", "userfaultfd makes races in the kernel easy to win"},
	{"dev.tty.ldisc_autoload", "0", "line disciplines are not loaded for unprivileged callers"},
	{"dev.tty.legacy_tiocsti", "0", "no typing into another process's terminal"},

	// Files.
	{"fs.protected_hardlinks", "1", "no hard links to files of others"},
	{"fs.protected_symlinks", "1", "symbolic links in sticky directories are followed by their owner only"},
	{"fs.protected_fifos", "2", "no writing to pipes of others in sticky directories"},
	{"fs.protected_regular", "2", "no writing to files of others in sticky directories"},
	{"fs.suid_dumpable", "0", "no memory dumps of programs that changed their rights"},
	{"kernel.core_pattern", "|/bin/false", "memory dumps hold secrets; the root holds no /bin/false, so none is ever written"},

	// Memory.
	{"vm.mmap_min_addr", "65536", "null pointers of the kernel stay unmapped"},
	{"vm.max_map_count", "1048576", "databases and search engines need more mappings than the default"},

	// Room for many containers.
	{"kernel.pid_max", "4194304", "process numbers are not what bounds containers (pids.max is)"},
	{"fs.inotify.max_user_instances", "8192", "each container watches files as the same user"},
	{"fs.inotify.max_user_watches", "1048576", "as before"},
	{"net.core.somaxconn", "4096", "listen queues of busy servers"},

	// Network: this machine is a host, not a router.
	{"net.ipv4.conf.all.rp_filter", "1", "packets with a source that is not routed back this way are dropped (RFC 3704, strict)"},
	{"net.ipv4.conf.default.rp_filter", "1", "as before, for links to come"},
	{"net.ipv4.conf.all.accept_redirects", "0", "routes come from the document, DHCP and router advertisements only"},
	{"net.ipv4.conf.default.accept_redirects", "0", "as before, for links to come"},
	{"net.ipv4.conf.all.secure_redirects", "0", "as before, from gateways"},
	{"net.ipv4.conf.default.secure_redirects", "0", "as before, for links to come"},
	{"net.ipv4.conf.all.send_redirects", "0", "a host sends none"},
	{"net.ipv4.conf.default.send_redirects", "0", "as before, for links to come"},
	{"net.ipv4.conf.all.accept_source_route", "0", "senders do not choose routes"},
	{"net.ipv4.conf.default.accept_source_route", "0", "as before, for links to come"},
	{"net.ipv6.conf.all.accept_redirects", "0", "routes come from the document and router advertisements only"},
	{"net.ipv6.conf.default.accept_redirects", "0", "as before, for links to come"},
	{"net.ipv6.conf.all.accept_source_route", "0", "senders do not choose routes"},
	{"net.ipv6.conf.default.accept_source_route", "0", "as before, for links to come"},
	{"net.ipv6.conf.all.accept_ra", "0", "what a router announces counts on links that the document uses for IPv6 only: the agent sets those"},
	{"net.ipv6.conf.default.accept_ra", "0", "as before, for links to come: a container's or a bridge's"},
	{"net.ipv4.icmp_echo_ignore_broadcasts", "1", "no part in amplification"},
	{"net.ipv4.icmp_ignore_bogus_error_responses", "1", "no log lines at the will of others"},
	{"net.ipv4.ping_group_range", "0 2147483647", "ping without CAP_NET_RAW, which containers do not have"},
	{"net.ipv4.tcp_syncookies", "1", "a SYN flood does not close the listen queue"},
	{"net.ipv4.tcp_rfc1337", "1", "no time-wait assassination (RFC 1337)"},
}

// BuiltOut are those of Parameters that our kernel lacks because the feature itself is compiled out. A kernel of one's own may have them.
var BuiltOut = map[string]bool{
	"kernel.kexec_load_disabled": true, "kernel.sysrq": true, "vm.unprivileged_userfaultfd": true, "kernel.core_pattern": true,
}
