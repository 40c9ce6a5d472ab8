package oci

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// FromGoBinary makes an image that holds one static program, at /<name>, which is its entrypoint. config may set more; nil: nothing more.
// The same program gives the same digest.
func FromGoBinary(binary, name, arch string, config *v1.Config) (v1.Image, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("cannot make image %q: %w", name, err)
	}
	c := v1.Config{}
	if config != nil {
		c = *config
	}
	if len(c.Entrypoint) == 0 {
		c.Entrypoint = []string{"/" + name}
	}
	image, err := fromFiles(arch, c, layerFile{name, 0o755, program})
	if err != nil {
		return nil, fmt.Errorf("cannot make image %q: %w", name, err)
	}
	return image, nil
}

type layerFile struct {
	name    string
	mode    int64
	content []byte
}

func fromFiles(arch string, config v1.Config, files ...layerFile) (v1.Image, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content)), Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return fromLayers(arch, config, archive.Bytes())
}

// fromLayers makes an OCI image of uncompressed layers.
func fromLayers(arch string, config v1.Config, archives ...[]byte) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS, file.Config = arch, "linux", config
	if image, err = mutate.ConfigFile(image, file); err != nil {
		return nil, err
	}
	for _, archive := range archives {
		layer, err := tarball.LayerFromOpener(
			func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil },
			tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// WriteLayout saves an image as an OCI layout directory.
func WriteLayout(dir string, image v1.Image) error {
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("cannot save the image to %q: %w", dir, err)
	}
	p, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = p.AppendImage(image, layout.WithPlatform(v1.Platform{OS: config.OS, Architecture: config.Architecture}))
	}
	if err != nil {
		return fmt.Errorf("cannot save the image to %q: %w", dir, err)
	}
	return nil
}
