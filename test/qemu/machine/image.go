package machine

import (
	"errors"
	"path/filepath"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/hint"
)

// Image is a directory that `stele build` wrote.
type Image struct {
	Dir      string
	Manifest output.Manifest
}

// Open reads the manifest of an image directory.
func Open(dir string) (Image, error) {
	m, err := output.ReadManifest(filepath.Join(dir, output.ManifestFile))
	if errors.Is(err, output.ErrNoManifest) {
		return Image{}, hint.New(err, "build one first: make image")
	} else if err != nil {
		return Image{}, err
	}
	return Image{Dir: dir, Manifest: *m}, nil
}

// Arch is the architecture of the image.
func (i Image) Arch() definition.Arch { return definition.Arch(i.Manifest.Architecture) }

// File is the path of one of the image's files.
func (i Image) File(name string) string { return filepath.Join(i.Dir, name) }
