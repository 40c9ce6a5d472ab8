package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/hint"
)

// Image is a directory that `stele build` wrote.
type Image struct {
	Dir      string
	Manifest Manifest
}

// Manifest is what this package reads of manifest.json.
type Manifest struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	RootHash     string `json:"rootHash"`
	// CommandLine of the kernel, as it stands in the UKI.
	CommandLine string `json:"commandLine"`
}

// Open reads the manifest of an image directory.
func Open(dir string) (Image, error) {
	content, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if errors.Is(err, os.ErrNotExist) {
		return Image{}, hint.New(fmt.Errorf("cannot find an image in %q: %w", dir, err), "build one first: make image")
	} else if err != nil {
		return Image{}, fmt.Errorf("cannot open image: %w", err)
	}
	image := Image{Dir: dir}
	if err := json.Unmarshal(content, &image.Manifest); err != nil {
		return Image{}, fmt.Errorf("cannot decode %q: %w", filepath.Join(dir, "manifest.json"), err)
	}
	return image, nil
}

// File is the path of one of the image's files.
func (i Image) File(name string) string { return filepath.Join(i.Dir, name) }
