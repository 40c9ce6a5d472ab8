package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Size of a machine, by which control groups are bounded.
type Size struct {
	// MemoryBytes of the machine (MemTotal).
	MemoryBytes int64
	// Tasks that the kernel makes at most (kernel.threads-max): 7,600 with 1 GiB of memory.
	Tasks int64
}

// ReadTasks reads kernel.threads-max below root (/proc/sys on the machine).
func ReadTasks(root string) (int64, error) {
	content, err := os.ReadFile(filepath.Join(root, "kernel", "threads-max"))
	if err != nil {
		return 0, fmt.Errorf("cannot read how many tasks there may be: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("cannot read how many tasks there may be: %w", err)
	}
	return n, nil
}

// Memory of the agent's and the runtime's groups that the kernel does not reclaim for containers (memory.min; kernel,
// Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files"). Reserved only as far as it is used: measured resident sizes are 23 MiB of the agent and
// 22 MiB of containerd, text included.
const (
	agentReserveBytes   = 32 << 20
	runtimeReserveBytes = 64 << 20
)

// runtimeFloorBytes is what containerd and the shims may use on the smallest machine: 22 MiB of containerd, 6 MiB a shim, and the pages of images that are unpacked.
const runtimeFloorBytes = 256 << 20

// Shares of the machine's tasks, in eighths. PID 1 ends, and with it the machine, when it cannot make a thread: what containers and the runtime leave is the
// agent's and the kernel's own.
const (
	containersEighths = 6
	runtimeEighths    = 1
)

// groupLimit is one file of a control group.
type groupLimit struct {
	group, file string
	value       int64
}

// groupLimits of a machine, in the order in which they are written. The agent's group has none: a limit that it met would end the machine. Weights stay the kernel's
// (cpu.weight 100 each): where the processors are short, agent, runtime and all containers together get a third each, and a version that is staged starves nobody.
func groupLimits(size Size) []groupLimit {
	soft := max(runtimeFloorBytes, size.MemoryBytes/4)
	limits := []groupLimit{
		// A group's share counts only within its parent's.
		{"/stele", "memory.min", agentReserveBytes + runtimeReserveBytes},
		{CgroupAgent, "memory.min", agentReserveBytes},
		{CgroupRuntime, "memory.min", runtimeReserveBytes},
		// A leak in containerd costs the containers a quarter of the memory, and then containerd itself, which is started again.
		{CgroupRuntime, "memory.high", soft},
		{CgroupRuntime, "memory.max", soft + soft/4},
	}
	if size.Tasks > 0 {
		limits = append(limits,
			groupLimit{CgroupRuntime, "pids.max", size.Tasks * runtimeEighths / 8},
			groupLimit{CgroupContainers, "pids.max", size.Tasks * containersEighths / 8})
	}
	return limits
}

func limitGroups(root string, limits []groupLimit) error {
	for _, l := range limits {
		file := filepath.Join(root, l.group, l.file)
		if err := os.WriteFile(file, strconv.AppendInt(nil, l.value, 10), 0o644); err != nil {
			return fmt.Errorf("cannot bound control group %q: %w", l.group, err)
		}
	}
	return nil
}
