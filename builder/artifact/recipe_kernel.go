package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/kconfig"
)

// Names of the files that Kernel makes.
const (
	KernelName        = "vmlinuz"
	KernelConfigName  = "config"
	KernelReleaseName = "release"
)

// KernelSource is the package whose tarball the kernel is built from, and where in it.
const (
	KernelSourcePackage = "linux-source-6.12"
	kernelSourcePath    = "/usr/src/linux-source-6.12.tar.xz"
)

// Kernel builds the kernel from Debian's source and the fragments in these files.
func Kernel(ctx context.Context, source Package, fragments []string, arch definition.Arch, progress func(KernelProgress)) (Recipe, error) {
	// The package's digest stands for the tarball's: it lies inside.
	input := KernelInput{Architecture: string(arch), SourceSHA256: source.SHA256}
	for _, path := range fragments {
		path = definition.ForArch(path, arch)
		text, err := os.ReadFile(path)
		if err != nil {
			return Recipe{}, fmt.Errorf("cannot read kernel fragment: %w", err)
		}
		fragment, err := kconfig.ParseFragment(path, text)
		if err != nil {
			return Recipe{}, err
		}
		input.Fragments = append(input.Fragments, fragment)
	}
	key, err := NewKernelKey(ctx, input)
	if err != nil {
		return Recipe{}, err
	}
	tools := map[string]string{}
	for _, line := range key.Tools {
		tools[toolName(line)] = line
	}
	return Recipe{
		Tools: tools,
		Key:   store.NewKey("kernel-"+string(arch)).Add("kernel", key.Digest()),
		Build: func(ctx context.Context, dir string) error {
			return buildKernelInto(ctx, dir, source, input, progress)
		},
	}, nil
}

// toolName is the program that a line of --version is about: "gcc (Debian …", "GNU ld (…", "Debian clang …", "*** LZ4 command line …".
func toolName(line string) string {
	for word := range strings.FieldsSeq(line) {
		if word != "GNU" && word != "Debian" && word != "***" {
			return strings.ToLower(word)
		}
	}
	return line
}

func buildKernelInto(ctx context.Context, dir string, source Package, input KernelInput, progress func(KernelProgress)) (err error) {
	work := filepath.Join(dir, ".work")
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	input.Source = filepath.Join(work, filepath.Base(kernelSourcePath))
	if err := source.extract(ctx, map[string]string{kernelSourcePath: input.Source}); err != nil {
		return err
	}
	output, err := BuildKernel(ctx, input, KernelBuild{WorkDir: work, OutputDir: dir, Jobs: runtime.NumCPU(), Progress: progress})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, KernelReleaseName), []byte(output.Release+"\n"), 0o644)
}
