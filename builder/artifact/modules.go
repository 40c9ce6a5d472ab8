package artifact

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// moduleVersion returns the version of a required module that go.mod pins.
func (g *Go) moduleVersion(module string) (string, error) {
	path := filepath.Join(g.Root, "go.mod")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the module's requirements: %w", err)
	}
	file, err := modfile.ParseLax(path, text, nil)
	if err != nil {
		return "", fmt.Errorf("cannot read the module's requirements: %w", err)
	}
	for _, r := range file.Require {
		if r.Mod.Path == module {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("cannot find module %q in %q", module, path)
}
