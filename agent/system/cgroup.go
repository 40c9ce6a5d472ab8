package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// DelegateCgroups moves this process into its own group, gives every controller the kernel offers down to the containers, and bounds the groups.
// It waits for the kernel several times (40 ms under emulation), so it runs beside other things.
func DelegateCgroups(root string, size Size) error {
	// Writing 0 means the writing process (kernel, Documentation/admin-guide/cgroup-v2.rst, "cgroup.procs").
	if err := os.WriteFile(filepath.Join(root, CgroupAgent, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("cannot enter control group %q: %w", CgroupAgent, err)
	}
	for _, group := range []string{"", "/stele", CgroupContainers} {
		if err := delegate(filepath.Join(root, group)); err != nil {
			return err
		}
	}
	return limitGroups(root, groupLimits(size))
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
