package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The control groups of the machine, as paths below /sys/fs/cgroup:
//
//	/                      every controller delegated; holds kernel threads only
//	└─ stele               every controller delegated; holds no process itself (cgroup v2, "no internal process constraint")
//	   ├─ agent            PID 1
//	   ├─ runtime          containerd and shims
//	   └─ containers       one child each container
const (
	CgroupRoot       = "/sys/fs/cgroup"
	CgroupAgent      = "/stele/agent"
	CgroupRuntime    = "/stele/runtime"
	CgroupContainers = "/stele/containers"
)

// MakeCgroups makes the groups below root (CgroupRoot on the machine). It costs next to nothing: nothing is delegated yet.
func MakeCgroups(root string) error {
	for _, group := range []string{"/stele", CgroupAgent, CgroupRuntime, CgroupContainers} {
		if err := os.Mkdir(filepath.Join(root, group), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("cannot make control group %q: %w", group, err)
		}
	}
	return nil
}

// DelegateCgroups moves this process into its own group, and gives every controller the kernel offers down to the containers.
// It waits for the kernel several times (40 ms under emulation), so it runs beside other things.
func DelegateCgroups(root string) error {
	// Writing 0 means the writing process (kernel, Documentation/admin-guide/cgroup-v2.rst, "cgroup.procs").
	if err := os.WriteFile(filepath.Join(root, CgroupAgent, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("cannot enter control group %q: %w", CgroupAgent, err)
	}
	for _, group := range []string{"", "/stele", CgroupContainers} {
		if err := delegate(filepath.Join(root, group)); err != nil {
			return err
		}
	}
	return reserveMemory(root)
}

// Memory of the agent's and the runtime's groups that the kernel does not reclaim for containers (memory.min; same document, "Memory
// Interface Files"). Reserved only as far as it is used: measured resident sizes are 23 MiB of the agent and 22 MiB of containerd, text included.
const (
	agentReserveBytes   = 32 << 20
	runtimeReserveBytes = 64 << 20
)

// reserveMemory keeps the machine steerable when a container takes all memory there is. A group's share counts only within its parent's.
func reserveMemory(root string) error {
	for _, r := range []struct {
		group string
		bytes int64
	}{{"/stele", agentReserveBytes + runtimeReserveBytes}, {CgroupAgent, agentReserveBytes}, {CgroupRuntime, runtimeReserveBytes}} {
		file := filepath.Join(root, r.group, "memory.min")
		if err := os.WriteFile(file, strconv.AppendInt(nil, r.bytes, 10), 0o644); err != nil {
			return fmt.Errorf("cannot reserve memory for control group %q: %w", r.group, err)
		}
	}
	return nil
}

// delegate gives every controller of a group to its children.
func delegate(dir string) error {
	offered, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("cannot read controllers of %q: %w", dir, err)
	}
	if words := enableAll(string(offered)); words != "" {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(words), 0o644); err != nil {
			return fmt.Errorf("cannot delegate %q of %q: %w", words, dir, err)
		}
	}
	return nil
}

// enableAll turns the content of cgroup.controllers into what cgroup.subtree_control takes.
func enableAll(controllers string) string {
	words := strings.Fields(controllers)
	for i, w := range words {
		words[i] = "+" + w
	}
	return strings.Join(words, " ")
}
