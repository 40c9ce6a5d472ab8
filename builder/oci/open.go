package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stele-os/stele/internal/hint"
)

// Open opens an image for one architecture (GOARCH) by the source of a definition:
//
//	oci-layout:DIR                 image-spec v1.1, image-layout.md
//	oci-archive:TAR                the same as one tar file, or what "docker save" writes
//	docker://NAME@sha256:DIGEST    a registry
//
// workDir takes what must be unpacked on the way; it must stay as long as the image is used.
func Open(ctx context.Context, source, arch, workDir string) (v1.Image, error) {
	kind, rest, _ := strings.Cut(source, ":")
	var image v1.Image
	var err error
	next := "give oci-layout:DIR, oci-archive:TAR or docker://NAME@sha256:DIGEST"
	switch kind {
	case "oci-layout":
		image, err = openLayout(rest, arch)
		next = "the directory must hold oci-layout, index.json and blobs/; \"skopeo copy docker://NAME oci:" + rest + "\" makes one"
	case "oci-archive":
		image, err = openArchive(rest, arch, workDir)
		next = "\"skopeo copy docker://NAME oci-archive:" + rest + "\" or \"docker save\" makes one"
	case "docker":
		image, err = openRemote(ctx, strings.TrimPrefix(rest, "//"), arch)
		next = "check the reference, the network and the credentials in ~/.docker/config.json"
	default:
		err = errors.New("such a source is not known")
	}
	if err != nil {
		return nil, hint.New(fmt.Errorf("cannot open image %q: %w", source, err), next)
	}
	if err := checkArchitecture(image, arch); err != nil {
		return nil, hint.New(fmt.Errorf("cannot open image %q: %w", source, err), "take an image for linux/"+arch)
	}
	return image, nil
}

func openLayout(dir, arch string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no OCI layout in that directory")
	}
	if err != nil {
		return nil, err
	}
	return choose(index, arch, 0)
}

// maxNesting of indexes in indexes.
const maxNesting = 4

// choose finds the image of an architecture. An image whose index does not name its platform is taken where it is the only one.
func choose(index v1.ImageIndex, arch string, depth int) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if depth > maxNesting {
		return nil, errors.New("its indexes are nested too deep")
	}
	images := 0
	for _, d := range manifest.Manifests {
		switch {
		case d.MediaType.IsIndex():
			nested, err := index.ImageIndex(d.Digest)
			if err == nil {
				err = verify(nested, d.Digest)
			}
			if err != nil {
				return nil, err
			}
			if image, err := choose(nested, arch, depth+1); err == nil {
				return image, nil
			}
		case d.MediaType.IsImage():
			images++
			if d.Platform != nil && d.Platform.OS == "linux" && d.Platform.Architecture == arch {
				return chosen(index, d.Digest)
			}
		}
	}
	if images == 1 && len(manifest.Manifests) == 1 && manifest.Manifests[0].Platform == nil {
		return chosen(index, manifest.Manifests[0].Digest)
	}
	return nil, fmt.Errorf("it holds no image for linux/%s", arch)
}

func chosen(index v1.ImageIndex, digest v1.Hash) (v1.Image, error) {
	image, err := index.Image(digest)
	if err != nil {
		return nil, err
	}
	return image, verify(image, digest)
}

// verify compares a manifest with the digest under which it was asked for: a layout's own reader does not.
func verify(m interface{ RawManifest() ([]byte, error) }, want v1.Hash) error {
	raw, err := m.RawManifest()
	if err != nil {
		return fmt.Errorf("cannot read manifest %s: %w", want, err)
	}
	if got := sha256Digest(raw); got != want.String() {
		return fmt.Errorf("manifest %s is corrupt: its digest is %s", want, got)
	}
	return nil
}

func openRemote(ctx context.Context, reference, arch string) (v1.Image, error) {
	ref, err := name.NewDigest(reference)
	if err != nil {
		return nil, fmt.Errorf("a reference by digest is needed: %w", err)
	}
	return remote.Image(ref,
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
}

func checkArchitecture(image v1.Image, arch string) error {
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("cannot read its configuration: %w", err)
	}
	if config.Architecture != "" && config.Architecture != arch {
		return fmt.Errorf("it is for %s/%s", config.OS, config.Architecture)
	}
	return nil
}
