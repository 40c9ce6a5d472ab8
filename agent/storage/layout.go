package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// layout is what /var always holds.
var layout = []struct {
	path string
	mode os.FileMode
	// why says who uses it.
	why string
}{
	{"lib", 0o755, ""},
	{"lib/stele", 0o700, "last good document, random seed, volumes, upper directories: the agent's alone"},
	{"lib/containerd", 0o700, "images and snapshots: containerd's alone"},
	{"log", 0o755, ""},
	{"log/containers", 0o700, "what containers print may hold secrets"},
}

// makeLayout makes the directories below root with their modes, whatever they were.
func makeLayout(root string) error {
	for _, d := range layout {
		path := filepath.Join(root, d.path)
		if err := os.Mkdir(path, d.mode); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("cannot make directory: %w", err)
		}
		if err := os.Chmod(path, d.mode); err != nil {
			return fmt.Errorf("cannot set mode of directory: %w", err)
		}
	}
	return nil
}
