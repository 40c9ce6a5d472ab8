package containerd

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/capability"
)

// confine gives this process, and with it its shims and runc, what they need and no more. What is shut here stays shut for them: control group and descriptors are the
// agent's part (Config.Command, agent/boot), and a container's specification says what it gets of the rest (agent/containers).
func confine() error {
	if err := protectFromOOM("/proc/self/oom_score_adj"); err != nil {
		return err
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("cannot limit %s to %d: %w", l.name, l.value, err)
		}
	}
	return capability.Drop(capability.Agent)
}

// limits of containerd and its shims (getrlimit(2)), soft and hard.
var limits = []struct {
	name     string
	resource int
	value    uint64
}{
	{"RLIMIT_CORE", unix.RLIMIT_CORE, 0},           // memory dumps hold secrets
	{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 1 << 14}, // containerd has three a container, a shim a dozen
}

// oomScore keeps the kernel from choosing containerd when memory runs out (proc_pid_oom_score_adj(5): -1000 never, 0 by size): containers are to
// pay for what containers took. containerd gives its shims one more than its own; a container's specification sets its own.
const oomScore = -999

func protectFromOOM(path string) error {
	if err := os.WriteFile(path, []byte(strconv.Itoa(oomScore)), 0o644); err != nil {
		return fmt.Errorf("cannot protect containerd when memory runs out: %w", err)
	}
	return nil
}
