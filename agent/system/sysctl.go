package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ApplyParameters writes every parameter below root (/proc/sys on the machine). It returns the names of those
// that the kernel does not have, and every other failure.
func ApplyParameters(root string, parameters []Parameter) (missing []string, err error) {
	var failures []error
	for _, p := range parameters {
		switch err := SetParameter(root, p.Name, p.Value); {
		case errors.Is(err, os.ErrNotExist):
			missing = append(missing, p.Name)
		case err != nil:
			failures = append(failures, err)
		}
	}
	return missing, errors.Join(failures...)
}

// SetParameter writes one kernel parameter below root.
func SetParameter(root, name, value string) error {
	path, err := parameterPath(name)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(root, path), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot set kernel parameter %q: %w", name, err)
	}
	defer file.Close()
	if _, err := file.WriteString(value); err != nil {
		return fmt.Errorf("cannot set kernel parameter %q: %w", name, err)
	}
	return nil
}

// parameterPath follows sysctl.d(5): where the first separator is a slash, dots are part of the names ("net/ipv4/conf/eth0.1/forwarding").
func parameterPath(name string) (string, error) {
	path := name
	if dot, slash := strings.IndexByte(name, '.'), strings.IndexByte(name, '/'); slash < 0 || (dot >= 0 && dot < slash) {
		path = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	if !filepath.IsLocal(path) || path == "." {
		return "", fmt.Errorf("cannot set kernel parameter %q: not a name", name)
	}
	return path, nil
}
