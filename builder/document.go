package builder

import (
	"fmt"
	"os"

	"github.com/stele-os/stele/api/v1alpha1"
)

// readDocument reads the definition's Machine document and has it judged, so that a mistake shows before anything is built
// instead of when the machine boots.
func (b *build) readDocument() ([]byte, error) {
	path := b.definition.Document
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read document: %w", err)
	}
	if b.options.CheckDocument == nil {
		return text, nil
	}
	info := v1alpha1.ImageInfo{Name: b.definition.Name, Version: b.definition.Version, Architecture: string(b.options.Arch)}
	for _, image := range b.definition.Images {
		info.BakedImages = append(info.BakedImages, v1alpha1.BakedImage{Name: image.Name})
	}
	return text, b.options.CheckDocument(path, text, info)
}
