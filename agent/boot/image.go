package boot

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/api/v1alpha1"
)

// readImageInfo reads what the builder tells about the image below root. It is not strict: a newer builder may say more.
func readImageInfo(root string) (v1alpha1.ImageInfo, error) {
	var info v1alpha1.ImageInfo
	content, err := os.ReadFile(filepath.Join(root, v1alpha1.ImageInfoPath))
	if err != nil {
		return info, fmt.Errorf("cannot read image information: %w", err)
	}
	if err := json.Unmarshal(content, &info); err != nil {
		return v1alpha1.ImageInfo{}, fmt.Errorf("cannot decode image information %q: %w", v1alpha1.ImageInfoPath, err)
	}
	return info, nil
}
