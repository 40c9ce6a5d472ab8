package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/internal/hint"
)

// minimumMajor: QEMU 7.2 under TCG corrupts heavier x86 guests at random; with 10 no such case was seen.
const minimumMajor = 10

var versionPattern = pattern.New(`QEMU emulator version (\d+)\.(\d+)`)

// findQEMU looks QEMU up and refuses one that is too old.
func findQEMU(ctx context.Context, a architecture) (string, error) {
	path, err := exec.LookPath(a.binary)
	if err != nil {
		return "", hint.New(fmt.Errorf("cannot find %q: %w", a.binary, errors.Unwrap(err)), a.qemuHint())
	}
	output, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("cannot run %q: %w", path, err)
	}
	return path, a.checkVersion(path, string(output))
}

func (a architecture) qemuHint() string {
	return "install QEMU 10 or newer; on Debian 12: apt-get install -t bookworm-backports " + a.qemuPackage
}

func (a architecture) checkVersion(path, output string) error {
	m := versionPattern().FindStringSubmatch(output)
	if m == nil {
		return fmt.Errorf("cannot read the version of %q: it says %q", path, output)
	}
	if major, err := strconv.Atoi(m[1]); err != nil || major < minimumMajor {
		return hint.New(fmt.Errorf("cannot use %q: version %s.%s is older than %d", path, m[1], m[2], minimumMajor), a.qemuHint())
	}
	return nil
}

// findFirmware returns the architecture's first pair whose files exist under root.
func findFirmware(root string, a architecture) (firmware, error) {
	for _, f := range a.firmware {
		if isFile(root+f.code) && isFile(root+f.vars) {
			return firmware{root + f.code, root + f.vars}, nil
		}
	}
	var looked []string
	for _, f := range a.firmware {
		looked = append(looked, f.code)
	}
	return firmware{}, hint.New(fmt.Errorf("cannot find UEFI firmware: looked for %q", looked), "install it; on Debian: apt-get install "+a.firmwarePackage)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
