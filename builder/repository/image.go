package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/verity"
)

// image is a directory that `stele build` has written, as far as a bundle needs it.
type image struct {
	dir      string
	manifest *output.Manifest
	files    map[string]*os.File
}

// bundled are the outputs that go into a bundle.
var bundled = []string{definition.OutputUKI, definition.OutputVerity, definition.OutputRoot}

func openImage(dir string) (*image, error) {
	m, err := output.ReadManifest(filepath.Join(dir, output.ManifestFile))
	if err != nil {
		if errors.Is(err, output.ErrNoManifest) {
			err = hint.New(err, "build one with: stele build DEFINITION --output "+dir)
		}
		return nil, err
	}
	i := &image{dir: dir, manifest: m, files: map[string]*os.File{}}
	for _, name := range bundled {
		if err := i.open(name); err != nil {
			i.close()
			return nil, err
		}
	}
	return i, nil
}

func (i *image) open(name string) error {
	want, ok := i.manifest.Artifact(name)
	if !ok {
		err := fmt.Errorf("cannot use image %q: its manifest has no %s", i.dir, name)
		return hint.New(err, "add "+name+" to the outputs of the image definition")
	}
	f, err := os.Open(filepath.Join(i.dir, name))
	if err != nil {
		return fmt.Errorf("cannot use image %q: %w", i.dir, err)
	}
	i.files[name] = f
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot use image %q: %w", i.dir, err)
	}
	if info.Size() != want.SizeBytes {
		return i.changed("%s has %d bytes instead of %d", name, info.Size(), want.SizeBytes)
	}
	return nil
}

func (i *image) close() {
	for _, f := range i.files {
		f.Close()
	}
}

// changed says that files and manifest disagree.
func (i *image) changed(format string, args ...any) error {
	err := fmt.Errorf("cannot use image %q: its files are not those of its manifest: "+format, append([]any{i.dir}, args...)...)
	return hint.New(err, "build the image again")
}

func (i *image) sources() bundle.Sources {
	source := func(name string) bundle.Source {
		want, _ := i.manifest.Artifact(name)
		return bundle.Source{Reader: i.files[name], Bytes: want.SizeBytes}
	}
	return bundle.Sources{UKI: source(definition.OutputUKI), Verity: source(definition.OutputVerity), Root: source(definition.OutputRoot)}
}

// matches compares what went into a bundle with the manifest.
func (i *image) matches(info bundle.Info) error {
	for _, p := range []struct {
		name string
		got  bundle.Part
	}{{definition.OutputUKI, info.UKI}, {definition.OutputVerity, info.Verity}, {definition.OutputRoot, info.Root}} {
		if want, _ := i.manifest.Artifact(p.name); want.SHA256 != p.got.SHA256 {
			return i.changed("the digest of %s is %s instead of %s", p.name, p.got.SHA256, want.SHA256)
		}
	}
	return nil
}

// verify proves what a machine is going to find out only when it has the whole bundle: that the tree is the root's, and that the UKI
// starts this root and bears this version.
func (i *image) verify(ctx context.Context) error {
	hash, err := bundle.Info{RootHash: i.manifest.RootHash}.RootDigest()
	if err != nil {
		return i.changed("%w", err)
	}
	if _, err := verity.Verify(ctx, i.files[definition.OutputVerity], i.files[definition.OutputRoot], hash); err != nil {
		return i.changed("%w", err)
	}
	f := i.files[definition.OutputUKI]
	sections, err := uki.Read(f, i.sources().UKI.Bytes, uki.CommandLine, uki.OSRelease)
	if err != nil {
		return i.changed("%s: %w", definition.OutputUKI, err)
	}
	for n, want := range []string{i.manifest.RootHash, fmt.Sprintf("IMAGE_VERSION=%q\n", i.manifest.Version)} {
		if !strings.Contains(string(sections[n].Data), want) {
			return i.changed("section %s of %s does not hold %q", sections[n].Name, definition.OutputUKI, strings.TrimSpace(want))
		}
	}
	got, err := bundle.DecodeSecurityVersion(bls.OSReleaseValue(sections[1].Data, bundle.SecurityVersionKey))
	if err == nil && got != i.manifest.SecurityVersion {
		err = fmt.Errorf("its security version is %d instead of %d", got, i.manifest.SecurityVersion)
	}
	if err != nil {
		return i.changed("%s: %w", definition.OutputUKI, err)
	}
	return nil
}
