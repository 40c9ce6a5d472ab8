package artifact

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// findSystemTool looks where administration tools lie too, which is not in every user's PATH.
func findSystemTool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("cannot find program %q", name)
}

// mke2fsVersion returns the line in which mke2fs names itself; it prints it to standard error.
func mke2fsVersion(ctx context.Context, mke2fs string) (string, error) {
	output, err := exec.CommandContext(ctx, mke2fs, "-V").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot ask %q for its version: %w", mke2fs, err)
	}
	line, _, _ := strings.Cut(string(output), "\n")
	return line, nil
}
