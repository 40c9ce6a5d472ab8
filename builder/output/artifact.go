package output

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/stele-os/stele/internal/sparse"
)

// ArtifactOf measures a file. Holes are hashed without being read.
func ArtifactOf(ctx context.Context, name, version, path string) (Artifact, error) {
	f, err := sparse.Open(path)
	if err != nil {
		return Artifact{}, fmt.Errorf("cannot measure %q: %w", path, err)
	}
	defer f.Close()
	h := sha256.New()
	if err := f.WriteTo(ctx, h); err != nil {
		return Artifact{}, fmt.Errorf("cannot measure %q: %w", path, err)
	}
	return Artifact{Name: name, Version: version, SizeBytes: f.SizeBytes, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
