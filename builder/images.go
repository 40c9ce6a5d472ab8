package builder

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/oci"
	"github.com/stele-os/stele/builder/store"
)

// bakedImage is an OCI image on its way into the root. It is opened only when the root is written.
type bakedImage struct {
	name string
	// key changes when the image does.
	key  string
	open func(ctx context.Context, workDir string) (v1.Image, error)
}

// bakeImages finds every image of the definition, and puts those that need a compiler or a network into the store.
func (b *build) bakeImages(ctx context.Context) error {
	step := b.progress.step("images")
	var digests []string
	cached := true
	for _, image := range b.definition.Images {
		b.progress.detail(image.Name)
		baked, a, err := b.findImage(ctx, image)
		if err != nil {
			return step.fail(err)
		}
		cached = cached && (a == nil || a.Cached)
		b.images = append(b.images, baked)
		digests = append(digests, image.Name+" key "+baked.key)
	}
	outcome := "none"
	if len(digests) > 0 {
		outcome = map[bool]string{true: "from the store", false: "made"}[cached]
	}
	step.done(outcome, digests...)
	return nil
}

func (b *build) findImage(ctx context.Context, image definition.Image) (bakedImage, *store.Artifact, error) {
	kind, rest, _ := strings.Cut(image.Source, ":")
	switch kind {
	case "go":
		return b.goImage(ctx, image.Name, rest)
	case "docker":
		return b.registryImage(ctx, image)
	}
	file := rest
	if kind == "oci-layout" {
		file = filepath.Join(rest, "index.json") // names everything else by digest
	}
	digest, err := store.DigestFile(file)
	if err != nil {
		return bakedImage{}, nil, fmt.Errorf("cannot open image %q: %w", image.Source, err)
	}
	return b.openedBy(image.Name, digest.SHA256, image.Source), nil, nil
}

// openedBy is an image that oci.Open reads from the build host.
func (b *build) openedBy(name, key, source string) bakedImage {
	return bakedImage{name: name, key: key, open: func(ctx context.Context, workDir string) (v1.Image, error) {
		return oci.Open(ctx, source, b.options.Arch.Go(), workDir)
	}}
}

// goImage builds a main package of the checkout and puts it alone into an image.
func (b *build) goImage(ctx context.Context, name, dir string) (bakedImage, *store.Artifact, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return bakedImage{}, nil, err
	}
	local, err := filepath.Rel(b.goTool.Root, absolute)
	if err != nil || !filepath.IsLocal(local) {
		return bakedImage{}, nil, fmt.Errorf("cannot build image %q: %q is not inside of the module at %q", name, dir, b.goTool.Root)
	}
	recipe, err := b.goTool.Program(artifact.Program{Name: name, Dir: local}, b.options.Arch)
	if err != nil {
		return bakedImage{}, nil, fmt.Errorf("cannot build image %q: %w", name, err)
	}
	a, err := b.store.Artifact(ctx, recipe.Key, recipe.Build)
	if err != nil {
		return bakedImage{}, nil, err
	}
	return bakedImage{name: name, key: a.Key, open: func(context.Context, string) (v1.Image, error) {
		return oci.FromGoBinary(a.Path(name), name, b.options.Arch.Go(), nil)
	}}, a, nil
}

// registryImage keeps an image of a registry in the store as a layout, so that it is pulled once.
func (b *build) registryImage(ctx context.Context, image definition.Image) (bakedImage, *store.Artifact, error) {
	key := store.NewKey("image").Add("source", image.Source).Add("architecture", b.options.Arch.Go())
	a, err := b.store.Artifact(ctx, key, func(ctx context.Context, dir string) error {
		pulled, err := oci.Open(ctx, image.Source, b.options.Arch.Go(), dir)
		if err != nil {
			return err
		}
		return oci.WriteLayout(filepath.Join(dir, "layout"), pulled)
	})
	if err != nil {
		return bakedImage{}, nil, err
	}
	return b.openedBy(image.Name, a.Key, "oci-layout:"+a.Path("layout")), a, nil
}
