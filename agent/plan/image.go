package plan

import (
	_ "crypto/sha256" // digests in references are checked by name
	"fmt"

	"github.com/distribution/reference"
)

// Image is what a container's image field names.
type Image struct {
	// Baked: Reference is the bare name of an image inside the root.
	Baked bool
	// Reference is canonical, such as "docker.io/library/nginx:1.27".
	Reference string
	// Latest is set when the reference has the tag "latest", written or implied, and no digest.
	Latest bool
}

// ResolveImage says which image a name means: one baked into the root, else one of a registry, docker.io where none is named
// (the rules of the reference grammar, github.com/distribution/reference).
func ResolveImage(name string, facts Facts) (Image, error) {
	for _, baked := range facts.Image.BakedImages {
		if baked.Name == name {
			return Image{Baked: true, Reference: name}, nil
		}
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return Image{}, fmt.Errorf("cannot parse image reference %q: %w", name, err)
	}
	named = reference.TagNameOnly(named)
	_, pinned := named.(reference.Digested)
	tagged, ok := named.(reference.Tagged)
	return Image{Reference: named.String(), Latest: !pinned && ok && tagged.Tag() == "latest"}, nil
}
