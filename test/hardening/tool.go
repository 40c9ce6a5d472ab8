package hardening

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stele-os/stele/builder/resolve"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/debian"
	"github.com/stele-os/stele/internal/hint"
)

// packagePath is where the package has the tool's Python files.
const packagePath = "/usr/lib/python3/dist-packages/kernel_hardening_checker/"

// Tool is the unpacked checker.
type Tool struct {
	// Version of the Debian package.
	Version string
	dir     string
	python  string
}

// Subject names the files that describe one kernel; empty ones are not judged.
type Subject struct {
	// Config is a .config; CommandLine is one line; Sysctls has a "name = value" a line, as `sysctl -a` prints them.
	Config, CommandLine, Sysctls string
}

// Open fetches the tool that the lock file pins, unless the build cache has it, and unpacks it.
func Open(ctx context.Context, lockFile string) (*Tool, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, hint.New(fmt.Errorf("cannot run kernel-hardening-checker: %w", err), "apt-get install python3")
	}
	lock, err := resolve.Load(lockFile)
	if err != nil {
		return nil, err
	}
	pin, err := lock.Pin(resolve.KernelHardeningChecker, "all")
	if err != nil {
		return nil, err
	}
	deb, err := fetch(ctx, lock, pin)
	if err != nil {
		return nil, err
	}
	tool := &Tool{Version: pin.Version, python: python}
	if tool.dir, err = os.MkdirTemp("", "kernel-hardening-checker-"); err != nil {
		return nil, err
	}
	if err := tool.unpack(deb); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot unpack %s %s: %w", pin.Name, pin.Version, err), tool.Close())
	}
	return tool, nil
}

// Close removes what Open unpacked.
func (t *Tool) Close() error { return os.RemoveAll(t.dir) }

func fetch(ctx context.Context, lock *resolve.Lock, pin resolve.Pin) (string, error) {
	dir, err := store.DefaultDir(os.Getenv)
	if err != nil {
		return "", err
	}
	cache, err := store.Open(dir)
	if err != nil {
		return "", err
	}
	fetcher := &resolve.Fetcher{Lock: lock, Store: cache, Mirror: func() (resolve.Mirror, error) {
		return resolve.OpenArchive(os.DirFS("/"), os.Getenv("DEBIAN_MIRROR"))
	}}
	return fetcher.Fetch(ctx, pin)
}

// unpack takes the Python files alone, not the configurations of distributions that come with them.
func (t *Tool) unpack(deb string) error {
	file, err := os.Open(deb)
	if err != nil {
		return err
	}
	defer file.Close()
	return debian.WalkDeb(file, func(name string, header *tar.Header, content io.Reader) error {
		name, inside := strings.CutPrefix(name, packagePath)
		if !inside || header.Typeflag != tar.TypeReg || strings.Contains(name, "/") || !strings.HasSuffix(name, ".py") {
			return nil
		}
		text, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		path := filepath.Join(t.dir, "kernel_hardening_checker", name)
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644))
	})
}

// Check judges a subject.
func (t *Tool) Check(ctx context.Context, s Subject) ([]Check, error) {
	// The same entry point as the package's own script; -P keeps the current directory out of Python's search path.
	arguments := []string{"-P", "-B", "-c", "from kernel_hardening_checker import main; main()", "-m", "json"}
	for _, a := range []struct{ flag, path string }{{"-c", s.Config}, {"-l", s.CommandLine}, {"-s", s.Sysctls}} {
		if a.path != "" {
			arguments = append(arguments, a.flag, a.path)
		}
	}
	command := exec.CommandContext(ctx, t.python, arguments...)
	command.Env = []string{"PYTHONPATH=" + t.dir, "LC_ALL=C.UTF-8"}
	var complaint strings.Builder
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot judge %+v by kernel-hardening-checker: %w: %s", s, err, strings.TrimSpace(complaint.String()))
	}
	return Decode(output)
}
