package containerd

import (
	"fmt"
	"os"
	"strconv"
)

// oomScore keeps the kernel from choosing containerd when memory runs out (proc_pid_oom_score_adj(5): -1000 never, 0 by size): containers are to
// pay for what containers took. containerd gives its shims one more than its own; a container's specification sets its own.
const oomScore = -999

func protectFromOOM(path string) error {
	if err := os.WriteFile(path, []byte(strconv.Itoa(oomScore)), 0o644); err != nil {
		return fmt.Errorf("cannot protect containerd when memory runs out: %w", err)
	}
	return nil
}
