package resolve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/hint"
)

// WriteLock resolves Wants and replaces the lock file at path in one step. It tells which pins changed.
func WriteLock(ctx context.Context, index Index, path string) ([]string, error) {
	old, err := Load(path)
	if err != nil {
		old = &Lock{} // absent or damaged: it is written anew
	}
	lock, err := Resolve(ctx, index, Wants)
	if err != nil {
		return nil, hint.New(err, "check the network, or name another mirror with DEBIAN_MIRROR")
	}
	text, err := lock.Encode()
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	defer os.Remove(temporary)
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return nil, fmt.Errorf("cannot write lock file: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return nil, fmt.Errorf("cannot write lock file: %w", err)
	}
	return changes(old, lock), nil
}

func changes(old, lock *Lock) []string {
	was := map[pinKey]Pin{}
	for _, p := range old.Packages {
		was[pinKey{p.Name, p.Suite, p.Architecture}] = p
	}
	var lines []string
	for _, p := range lock.Packages {
		before, ok := was[pinKey{p.Name, p.Suite, p.Architecture}]
		switch {
		case !ok:
			lines = append(lines, fmt.Sprintf("%s (%s): %s", p.Name, p.Architecture, p.Version))
		case before != p:
			lines = append(lines, fmt.Sprintf("%s (%s): %s -> %s", p.Name, p.Architecture, before.Version, p.Version))
		}
	}
	return lines
}
