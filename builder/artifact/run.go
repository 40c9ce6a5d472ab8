package artifact

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// maxOutputLines is how much of a failed program's output an error carries.
const maxOutputLines = 20

// run runs one foreign program to its end; its last lines of output become part of the error.
func run(ctx context.Context, dir string, env []string, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // compilers start children of their own
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		lines = lines[max(0, len(lines)-maxOutputLines):]
		return fmt.Errorf("cannot run %q: %w\n%s", filepath.Base(program), err, strings.Join(lines, "\n"))
	}
	return nil
}

// requireTools says which of the programs this host lacks.
func requireTools(tools ...hostTool) error {
	var missing []hostTool
	for _, tool := range tools {
		if !hostHas(tool.name) {
			missing = append(missing, tool)
		}
	}
	if len(missing) > 0 {
		return &MissingToolsError{Missing: missing}
	}
	return nil
}
