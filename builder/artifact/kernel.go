// Package artifact makes the parts of an image that must be compiled: kernel, agent, runc.
//
// It does not decide where they go or whether they are in the store already: each kind of part offers a key, the hash of
// all that its bytes depend on, and a build that needs no root and leaves nothing half-written under a final name.
// It is the only stage of the builder that runs foreign programs; a missing one is an error that names its Debian package.
package artifact

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stele-os/stele/internal/kconfig"
)

// Building a kernel is the one stage that runs foreign programs: tar, make and a C compiler of the build host. It needs no
// root and leaves nothing behind but its outputs. Same source, fragments and toolchain give the same bytes, wherever the
// work directory lies: the tree is built in place, with relative paths, and time, user and host are fixed.
//
//	source.tar.xz --tar--> tree --allnoconfig + fragments--> .config --Check--> make --> vmlinuz, config, release

// KernelInput is all that decides what the kernel will be, apart from the host's toolchain.
type KernelInput struct {
	// Architecture is "x86_64" or "arm64".
	Architecture string
	// Source is the path of Debian's linux-source-*.tar.xz.
	Source string
	// SourceSHA256 of that file, as the lock has it. It enters the key and is not verified again.
	SourceSHA256 string
	// Fragments in the order in which they are merged; KernelFragments gives the usual one.
	Fragments []kconfig.Fragment
}

// KernelOutput names what BuildKernel left in its output directory.
type KernelOutput struct {
	// Image is the kernel as firmware starts it: bzImage or vmlinuz.efi, called vmlinuz.
	Image string
	// Config is the final .config.
	Config string
	// Release is what uname -r says on the machine.
	Release string
}

// KernelProgress is one moment of a build.
type KernelProgress struct {
	// Step is "unpack", "configure" or "compile".
	Step string
	// Done and Expected count compiler and linker calls; Expected is an estimate from an earlier build, 0 when unknown.
	Done, Expected int
}

// KernelBuild says where and how a kernel is built; nothing here changes the result.
type KernelBuild struct {
	// WorkDir receives a temporary directory of about 2.5 GB.
	WorkDir string
	// OutputDir receives vmlinuz, config and sizes.json when everything has succeeded.
	OutputDir string
	// Jobs is the number of compilers at a time.
	Jobs int
	// Progress is called on the way, from one goroutine at a time; it may be nil.
	Progress func(KernelProgress)
}

// BuildKernel builds the kernel of input. On failure nothing is written to the output directory.
func BuildKernel(ctx context.Context, input KernelInput, build KernelBuild) (KernelOutput, error) {
	output, err := buildKernel(ctx, input, build)
	if err != nil {
		return KernelOutput{}, fmt.Errorf("cannot build kernel for %q: %w", input.Architecture, err)
	}
	return output, nil
}

func buildKernel(ctx context.Context, input KernelInput, build KernelBuild) (KernelOutput, error) {
	// 1. What is asked for, and with what.
	target, err := kernelTargetFor(input.Architecture)
	if err != nil {
		return KernelOutput{}, err
	}
	wanted, err := kconfig.Merge(input.Fragments...)
	if err != nil {
		return KernelOutput{}, err
	}
	if err := checkKernelTools(ctx, target, wanted); err != nil {
		return KernelOutput{}, err
	}
	// 2. A directory that goes away whatever happens.
	scratch, err := os.MkdirTemp(build.WorkDir, "kernel-*")
	if err != nil {
		return KernelOutput{}, fmt.Errorf("cannot make work directory: %w", err)
	}
	defer os.RemoveAll(scratch)
	tree := kernelTree{
		dir: filepath.Join(scratch, "linux"), target: target, toolchain: kernelToolchainFor(target, wanted), build: build,
	}
	// 3. Source, configuration, kernel.
	if err := tree.unpack(ctx, input.Source); err != nil {
		return KernelOutput{}, err
	}
	if err := tree.fixLayoutSeed(layoutSeed(input, wanted)); err != nil {
		return KernelOutput{}, err
	}
	if err := tree.configure(ctx, wanted); err != nil {
		return KernelOutput{}, err
	}
	if err := tree.compile(ctx); err != nil {
		return KernelOutput{}, err
	}
	// 4. Out of the work directory, under the final names.
	return tree.collect(ctx)
}

func (t kernelTree) collect(ctx context.Context) (KernelOutput, error) {
	release, err := os.ReadFile(filepath.Join(t.dir, "include/config/kernel.release"))
	if err != nil {
		return KernelOutput{}, fmt.Errorf("cannot read kernel release: %w", err)
	}
	output := KernelOutput{
		Image:   filepath.Join(t.build.OutputDir, "vmlinuz"),
		Config:  filepath.Join(t.build.OutputDir, "config"),
		Release: strings.TrimSpace(string(release)),
	}
	if err := os.MkdirAll(t.build.OutputDir, 0o755); err != nil {
		return KernelOutput{}, fmt.Errorf("cannot make output directory: %w", err)
	}
	if err := t.writeSizes(ctx); err != nil {
		return KernelOutput{}, err
	}
	if err := copyWhole(filepath.Join(t.dir, ".config"), output.Config); err != nil {
		return KernelOutput{}, err
	}
	if err := copyWhole(filepath.Join(t.dir, t.target.image), output.Image); err != nil {
		return KernelOutput{}, err
	}
	return output, nil
}
