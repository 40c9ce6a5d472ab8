package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/assemble"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/sparse"
)

// writeImage writes the output directory, unless it holds this very image already.
func (b *build) writeImage(ctx context.Context) (*output.Manifest, error) {
	step := b.progress.step("image")
	key, err := b.imageKey()
	if err != nil {
		return nil, step.fail(err)
	}
	dir := b.options.Output
	if m, err := output.ReadManifest(filepath.Join(dir, output.ManifestFile)); err == nil && unchanged(dir, key) {
		step.done("unchanged in "+dir, digestsOf(m, key)...)
		return m, nil
	}
	m, err := b.replaceImage(ctx, dir, key)
	if err != nil {
		return nil, step.fail(err)
	}
	step.done("written to "+dir, digestsOf(m, key)...)
	return m, nil
}

// replaceImage makes the outputs in a work directory, so that a failure leaves the previous image as it was, and then puts
// them in place. The manifest goes first and comes last: an output directory with a manifest is complete.
func (b *build) replaceImage(ctx context.Context, dir, key string) (*output.Manifest, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make output directory: %w", err)
	}
	work := filepath.Join(dir, workDir) // ours alone: the lock is held
	defer os.Remove(dir)                // if nothing came of it
	defer os.RemoveAll(work)
	stage := filepath.Join(work, "out")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(stage, 0o755)); err != nil {
		return nil, fmt.Errorf("cannot make work directory: %w", err)
	}
	result, info, err := b.assemble(ctx, stage, work)
	if err != nil {
		return nil, err
	}
	if err := sparse.Copy(ctx, filepath.Join(stage, definition.OutputKernel), b.kernelPath()); err != nil {
		return nil, err
	}
	m, err := b.manifest(ctx, stage, info, result)
	if err != nil {
		return nil, err
	}
	if err := b.install(stage, dir); err != nil {
		return nil, fmt.Errorf("cannot replace image in %q: %w", dir, err)
	}
	if err := m.Write(filepath.Join(dir, output.ManifestFile)); err != nil {
		return nil, err
	}
	return m, writeState(dir, key, b.definition.Outputs)
}

// workDir in the output directory holds what is not finished.
const workDir = ".work"

// install moves the outputs into place. Of an earlier image nothing stays, not even what this one does not have.
func (b *build) install(stage, dir string) error {
	for _, name := range append([]string{filepath.Base(statePath(dir)), output.ManifestFile}, definition.Outputs...) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for _, name := range b.definition.Outputs {
		if err := os.Rename(filepath.Join(stage, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) assemble(ctx context.Context, dir, work string) (assemble.Result, v1alpha1.ImageInfo, error) {
	root, info, err := b.rootTree(ctx, b.info(), work)
	if err != nil {
		return assemble.Result{}, info, err
	}
	release, err := b.kernelRelease()
	if err != nil {
		return assemble.Result{}, info, err
	}
	loader := b.part(partLoader)
	result, err := assemble.Write(ctx, assemble.Spec{
		Info: info, Tree: root, RootFormat: b.definition.RootFormat,
		Kernel: b.kernelPath(), KernelRelease: release,
		Stub: loader.Path(artifact.StubName), Loader: loader.Path(artifact.LoaderName),
		CommandLine: b.definition.Words(b.options.Arch),
		Sizes:       sizesOf(b.definition.Partitions),
		VarTemplate: b.part(partVar).Path(artifact.VarImageName),
		SecureBoot:  b.secureBoot.spec(),
		OutputDir:   dir, WorkDir: work,
	})
	return result, info, err
}

// info is what the image tells the agent, without its baked images.
func (b *build) info() v1alpha1.ImageInfo {
	return v1alpha1.ImageInfo{
		Name: b.definition.Name, Version: b.definition.Version, Architecture: string(b.options.Arch),
		SecurityVersion:        b.definition.SecurityVersion,
		BuildTime:              b.lock.Date.Unix(),
		Platform:               b.definition.Metadata.Platform,
		MetadataTimeoutSeconds: int(b.definition.Metadata.TimeoutDuration().Seconds()),
	}
}

// sizesOf turns valid quantities into bytes.
func sizesOf(p definition.Partitions) assemble.Sizes {
	size := func(s string) int64 {
		n, _ := definition.ParseQuantity(s) // Load has validated it
		return n
	}
	return assemble.Sizes{ESP: size(p.ESP), Root: size(p.Root), Var: size(p.Var)}
}

func (b *build) kernelPath() string {
	if own := b.definition.Kernel.Image; own != "" {
		return definition.ForArch(own, b.options.Arch)
	}
	return b.part(partKernel).Path(artifact.KernelName)
}

// kernelRelease is what the kernel says in uname; not known of the definition's own.
func (b *build) kernelRelease() (string, error) {
	if b.definition.Kernel.Image != "" {
		return "", nil
	}
	text, err := os.ReadFile(b.part(partKernel).Path(artifact.KernelReleaseName))
	if err != nil {
		return "", fmt.Errorf("cannot read kernel release: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
