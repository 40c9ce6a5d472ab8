package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/hardening"
	"github.com/stele-os/stele/test/qemu/machine"
)

// Kernel is what an image's kernel is made of, and what the yardstick thinks of the running machine.
type Kernel struct {
	// Groups are absent where the kernel was not built here.
	Groups []KernelGroup `json:"groups,omitempty"`
	// Hardening by what is judged: kconfig, cmdline, sysctl.
	Hardening map[string]hardening.Score `json:"hardening"`
}

func measureKernel(ctx context.Context, image machine.Image) (Kernel, error) {
	var k Kernel
	directories, err := kernelSizes(image)
	if err != nil {
		return k, err
	}
	k.Groups = groupKernel(directories)
	k.Hardening, err = measureHardening(ctx, image)
	return k, err
}

// kernelSizes reads what the build of the image's kernel left in the build cache, found by the digest of its configuration.
func kernelSizes(image machine.Image) (map[string]int64, error) {
	dir, err := store.DefaultDir(os.Getenv)
	if err != nil {
		return nil, err
	}
	configs, err := filepath.Glob(filepath.Join(dir, "artifacts", "kernel-"+image.Manifest.Architecture+"-*", artifact.KernelConfigName))
	if err != nil {
		return nil, err
	}
	for _, config := range configs {
		digest, err := store.DigestFile(config)
		if err != nil || "sha256:"+digest.SHA256 != image.Manifest.KernelConfigDigest {
			continue
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(config), artifact.KernelSizesName))
		if err != nil {
			return nil, fmt.Errorf("cannot measure kernel: %w", err)
		}
		var sizes map[string]int64
		if err := json.Unmarshal(text, &sizes); err != nil {
			return nil, fmt.Errorf("cannot measure kernel: %w", err)
		}
		return sizes, nil
	}
	return nil, nil
}

// measureHardening boots the image once and asks the yardstick.
func measureHardening(ctx context.Context, image machine.Image) (map[string]hardening.Score, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	m, err := vm.Start(ctx, image.VM(machine.Options{Direct: true, Document: []byte(hardening.Document)}))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(m.Dir)
	defer m.Cut()
	base := "http://" + m.Address(machine.DemoPort)
	if _, err := machine.Serving(ctx, m, base+"/healthz"); err != nil {
		return nil, err
	}
	subject, err := hardening.Read(ctx, base, m.Dir)
	if err != nil {
		return nil, err
	}
	tool, err := hardening.Open(ctx, filepath.Join("images", "lock.yaml"))
	if err != nil {
		return nil, err
	}
	defer tool.Close()
	checks, err := tool.Check(ctx, subject)
	return hardening.Scores(checks), err
}

// kernelRows write one kernel's; of says whose, where it is not the image that all else is about.
func kernelRows(title func(string), row func(key, format string, values ...any), of string, k Kernel) {
	if len(k.Groups) > 0 {
		title("Kernel" + of + " by group, before compression")
	}
	var sum int64
	for _, g := range k.Groups {
		row(g.Name, "%8.2f MiB", float64(g.Bytes)/mib)
		sum += g.Bytes
	}
	if sum > 0 {
		row("together", "%8.2f MiB", float64(sum)/mib)
	}
	if len(k.Hardening) > 0 {
		title("Hardening" + of + ", kernel-hardening-checker")
	}
	for _, kind := range hardening.Kinds {
		if score, known := k.Hardening[kind]; known {
			row(kind, "%8d OK, %d FAIL, of %d", score.OK, score.Fail, score.OK+score.Fail)
		}
	}
}
