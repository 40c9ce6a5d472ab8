package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/assemble"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
)

// writeImage writes the output directory, unless it holds this very image already.
func (b *build) writeImage(ctx context.Context) (*output.Manifest, error) {
	step := b.progress.step("image")
	document, err := readDocument(b.definition.Document)
	if err != nil {
		return nil, step.fail(err)
	}
	key, err := b.imageKey(document)
	if err != nil {
		return nil, step.fail(err)
	}
	dir := b.options.Output
	if m, err := output.ReadManifest(filepath.Join(dir, output.ManifestFile)); err == nil && unchanged(dir, key) {
		step.done("unchanged in "+dir, digestsOf(m, key)...)
		return m, nil
	}
	m, err := b.replaceImage(ctx, dir, key, document)
	if err != nil {
		return nil, step.fail(err)
	}
	step.done("written to "+dir, digestsOf(m, key)...)
	return m, nil
}

// replaceImage removes the manifest first and writes it last: an output directory with a manifest is complete.
func (b *build) replaceImage(ctx context.Context, dir, key string, document []byte) (*output.Manifest, error) {
	manifestPath := filepath.Join(dir, output.ManifestFile)
	for _, path := range []string{statePath(dir), manifestPath} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("cannot replace image in %q: %w", dir, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make output directory: %w", err)
	}
	work, err := os.MkdirTemp(dir, ".work-")
	if err != nil {
		return nil, fmt.Errorf("cannot make work directory: %w", err)
	}
	defer os.RemoveAll(work)
	result, info, err := b.assemble(ctx, dir, work, document)
	if err != nil {
		return nil, err
	}
	if err := output.CopySparse(ctx, filepath.Join(dir, definition.OutputKernel), b.kernelPath()); err != nil {
		return nil, err
	}
	m, err := b.manifest(ctx, dir, info, result)
	if err != nil {
		return nil, err
	}
	if err := m.Write(manifestPath); err != nil {
		return nil, err
	}
	return m, writeState(dir, key, b.definition.Outputs)
}

func (b *build) assemble(ctx context.Context, dir, work string, document []byte) (assemble.Result, v1alpha1.ImageInfo, error) {
	root, info, err := b.rootTree(ctx, b.info(), document, work)
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
		CommandLine: b.definition.CommandLine,
		Sizes:       sizesOf(b.definition.Partitions),
		VarTemplate: b.part(partVar).Path(artifact.VarImageName),
		OutputDir:   dir, WorkDir: work,
	})
	return result, info, err
}

// info is what the image tells the agent, without its baked images.
func (b *build) info() v1alpha1.ImageInfo {
	return v1alpha1.ImageInfo{
		Name: b.definition.Name, Version: b.definition.Version, Architecture: string(b.options.Arch),
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

// manifest measures the outputs and names the parts. Outputs that the definition does not want are removed.
func (b *build) manifest(ctx context.Context, dir string, info v1alpha1.ImageInfo, result assemble.Result) (*output.Manifest, error) {
	m := &output.Manifest{
		Name: info.Name, Version: info.Version, Architecture: info.Architecture, BuildTime: info.BuildTime,
		RootHash: fmt.Sprintf("%x", result.Verity.RootHash), CommandLine: result.CommandLine,
		LockDigest: "sha256:" + b.lockDigest.SHA256,
		Toolchain:  map[string]string{},
	}
	m.SetTable(result.Table)
	for _, name := range definition.Outputs {
		path := filepath.Join(dir, name)
		if !slices.Contains(b.definition.Outputs, name) {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("cannot remove unwanted output: %w", err)
			}
			continue
		}
		a, err := output.ArtifactOf(ctx, name, info.Version, path)
		if err != nil {
			return nil, err
		}
		m.Artifacts = append(m.Artifacts, a)
	}
	b.addParts(m)
	return m, nil
}

// addParts names what went into the image. The kernel is among the outputs.
func (b *build) addParts(m *output.Manifest) {
	for _, p := range b.parts {
		for name, digest := range p.Files {
			switch {
			case p.name == partKernel && name == artifact.KernelConfigName:
				m.KernelConfigDigest = "sha256:" + digest.SHA256
			case p.name != partKernel && name != artifact.VarImageName:
				m.Artifacts = append(m.Artifacts, output.Artifact{Name: name, Version: p.version, SizeBytes: digest.SizeBytes, SHA256: digest.SHA256})
			}
		}
		for name, version := range p.tools {
			m.Toolchain[name] = version
		}
	}
	m.Artifacts = append(m.Artifacts, b.baked...)
	slices.SortStableFunc(m.Artifacts[len(b.definition.Outputs):], func(a, c output.Artifact) int { return strings.Compare(a.Name, c.Name) })
}

func digestsOf(m *output.Manifest, key string) []string {
	lines := []string{"key " + key, "root hash " + m.RootHash}
	for _, a := range m.Artifacts {
		lines = append(lines, fmt.Sprintf("%s sha256:%s (%d bytes)", a.Name, a.SHA256, a.SizeBytes))
	}
	return lines
}
