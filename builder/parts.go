package builder

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
)

// part is one ingredient of the image.
type part struct {
	name, version string
	tools         map[string]string
	*store.Artifact
}

// part returns the files of an earlier step.
func (b *build) part(name string) part {
	for _, p := range b.parts {
		if p.name == name {
			return p
		}
	}
	return part{}
}

// Names of the parts.
const (
	partKernel       = "kernel"
	partLoader       = "boot loader"
	partCertificates = "certificates"
	partVar          = "var template"
	partAgent        = "agent"
	partRunc         = "runc"
)

func (b *build) kernel(ctx context.Context) error {
	if own := b.definition.Kernel.Image; own != "" {
		return b.ownKernel(ctx, definition.ForArch(own, b.options.Arch))
	}
	return b.make(ctx, partKernel, func() (artifact.Recipe, error) {
		source, err := b.debian(artifact.KernelSourcePackage)
		if err != nil {
			return artifact.Recipe{}, err
		}
		recipe, err := artifact.Kernel(ctx, source, b.definition.Kernel.Fragments, b.options.Arch, b.kernelProgress)
		recipe.Version = source.Version
		return recipe, err
	})
}

func (b *build) kernelProgress(p artifact.KernelProgress) {
	switch {
	case p.Expected > 0 && p.Done > 0:
		b.progress.detail(fmt.Sprintf("%s, %d of about %d calls (%d %%)", p.Step, p.Done, p.Expected, min(99, 100*p.Done/p.Expected)))
	case p.Done > 0:
		b.progress.detail(fmt.Sprintf("%s, %d calls", p.Step, p.Done))
	default:
		b.progress.detail(p.Step)
	}
}

// ownKernel takes the definition's kernel as it is.
func (b *build) ownKernel(_ context.Context, path string) error {
	step := b.progress.step(partKernel)
	digest, err := store.DigestFile(path)
	if err != nil {
		return step.fail(fmt.Errorf("cannot read kernel: %w", err))
	}
	name := filepath.Base(path)
	if name != artifact.KernelName {
		name = artifact.KernelName + "=" + name
	}
	b.parts = append(b.parts, part{name: partKernel, version: "own", Artifact: &store.Artifact{
		Dir: filepath.Dir(path), Key: digest.SHA256, Cached: true, Files: map[string]store.Digest{filepath.Base(path): digest},
	}})
	step.done("the definition's own", name+" sha256:"+digest.SHA256)
	return nil
}

func (b *build) bootLoader(ctx context.Context) error {
	return b.make(ctx, partLoader, func() (artifact.Recipe, error) {
		p, err := b.debian("systemd-boot-efi")
		return artifact.BootLoader(p, b.options.Arch), err
	})
}

func (b *build) certificates(ctx context.Context) error {
	return b.make(ctx, partCertificates, func() (artifact.Recipe, error) {
		p, err := b.debian("ca-certificates")
		return artifact.Certificates(p), err
	})
}

func (b *build) varTemplate(ctx context.Context) error {
	return b.make(ctx, partVar, func() (artifact.Recipe, error) { return artifact.VarTemplate(ctx) })
}

func (b *build) agent(ctx context.Context) error {
	return b.make(ctx, partAgent, func() (artifact.Recipe, error) {
		recipe, err := b.goTool.Agent(b.options.Arch)
		recipe.Version = b.definition.Version
		return recipe, err
	})
}

func (b *build) runc(ctx context.Context) error {
	return b.make(ctx, partRunc, func() (artifact.Recipe, error) {
		p, err := b.debian("libseccomp-dev")
		if err != nil {
			return artifact.Recipe{}, err
		}
		return b.goTool.Runc(ctx, p, b.options.Arch)
	})
}

// make takes a part from the store or makes it, as one step.
func (b *build) make(ctx context.Context, name string, recipe func() (artifact.Recipe, error)) error {
	step := b.progress.step(name)
	r, err := recipe()
	if err != nil {
		return step.fail(err)
	}
	made, err := b.store.Artifact(ctx, r.Key, r.Build)
	if err != nil {
		return step.fail(err)
	}
	b.parts = append(b.parts, part{name: name, version: r.Version, tools: r.Tools, Artifact: made})
	step.doneArtifact(made)
	return nil
}

// debian returns a pinned package, to be fetched when its recipe is built.
func (b *build) debian(name string) (artifact.Package, error) {
	pin, err := b.lock.Pin(name, b.options.Arch.Debian())
	if err != nil {
		return artifact.Package{}, err
	}
	return artifact.Package{Name: pin.Name, Version: pin.Version, SHA256: pin.SHA256, Fetch: func(ctx context.Context) (string, error) {
		return b.fetcher.Fetch(ctx, pin)
	}}, nil
}
