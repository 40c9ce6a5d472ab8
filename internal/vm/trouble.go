package vm

// KernelTrouble are the words with which a Linux kernel says that something is broken. Not among them: stalls seen by RCU or the soft lockup
// detector's siblings that only mean a slow host, and the call trace of a memory cgroup's OOM kill, which is a limit doing its work.
var KernelTrouble = []string{
	`Kernel panic`,
	`\bOops\b`,
	`\bBUG: `,
	`kernel BUG at`,
	`WARNING: CPU: \d+`,
	`RIP: 0010:`, // kernel mode; 0033 is a process
	`general protection fault`,
	`[Uu]nable to handle (kernel|page fault)`,
	`Internal error: `, // arm64: before the number of its oops
	`SError Interrupt|Bad mode in|Insufficient stack space to handle exception`,
	`stack segment|double fault|invalid opcode: `,
	`device-mapper: verity: .*(corrupt|[Ee]rror|failed)`,
	`device-mapper: (table|ioctl): .*([Ee]rror|failed)`,
	`(data|metadata) block \d+ is corrupted`,
	`erofs \(device [^)]*\): .*(err|corrupt|bogus)`,
	`EXT4-fs error`,
	`JBD2: .*(corrupt|[Ee]rror)`,
	`[IO]/O error, dev `,
	`INFO: task .* blocked for more than`,
	`(^|\] )Out of memory: Killed process`, // the whole machine's; a cgroup's begins with "Memory cgroup out of memory"
}
