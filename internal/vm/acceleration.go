package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// probeTimeout: a kernel without a root panics about 1 s after power-on under a working KVM.
const probeTimeout = 4 * time.Second

// acceleration says how to run the guest: as asked, else by KVM where the kernel was seen to boot under it, else by TCG.
//
// A boot sector of our own would not prove it: on hosts that run nested, KVM starts one and then dies on the first vector instruction
// of a real kernel, or hangs.
func acceleration(ctx context.Context, o Options, qemu string) (string, error) {
	kernel := o.ProbeKernel
	if kernel == "" {
		kernel = o.Kernel
	}
	switch {
	case o.Accel == "kvm" || o.Accel == "tcg":
		return o.Accel, nil
	case o.Accel != "":
		return "", fmt.Errorf("cannot use acceleration %q: it is neither kvm nor tcg", o.Accel)
	case kernel == "" || architectures[o.Arch].hostArch != runtime.GOARCH || !opens("/dev/kvm"):
		return "tcg", nil
	}
	cache := accelerationCache()
	if known, err := os.ReadFile(cache); err == nil && (string(known) == "kvm" || string(known) == "tcg") {
		return string(known), nil
	}
	accel := "tcg"
	if probeKVM(ctx, o.Arch, qemu, kernel) == nil {
		accel = "kvm"
	}
	if cache != "" && ctx.Err() == nil {
		// Only a cache: where it cannot be written, the next start probes again.
		_ = os.MkdirAll(filepath.Dir(cache), 0o700)
		_ = os.WriteFile(cache, []byte(accel), 0o600)
	}
	return accel, ctx.Err()
}

// accelerationCache names a file that is good until the host reboots; "" where there is no place for one.
func accelerationCache() string {
	dir, err := os.UserCacheDir()
	id, err2 := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || err2 != nil {
		return ""
	}
	return filepath.Join(dir, "qemu-acceleration", strings.TrimSpace(string(id)))
}

// probeKVM boots the kernel with nothing to mount: it must get as far as its own panic, which ends QEMU.
func probeKVM(ctx context.Context, arch, qemu, kernel string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	a := architectures[arch]
	cmd := exec.CommandContext(ctx, qemu, "-machine", a.machine, "-accel", "kvm", "-cpu", a.cpu["kvm"], "-m", "256", "-smp", "2",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-kernel", kernel, "-append", "console="+a.console+" panic=-1 root=none")
	var output bytes.Buffer
	cmd.Stdout = &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot boot %q under KVM: %w", kernel, err)
	}
	if !bytes.Contains(output.Bytes(), []byte("Kernel panic - not syncing: VFS")) {
		return errors.New("the kernel did not reach its panic under KVM")
	}
	return nil
}

func opens(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
