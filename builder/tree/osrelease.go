package tree

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/bundle"
)

// OSRelease gives the content of os-release(5): for the root, and for the .osrel section, where systemd-boot reads from it what
// its menu shows and how versions are ordered (UAPI.1 Boot Loader Specification, "Type #2 EFI Unified Kernel Images").
func OSRelease(info v1alpha1.ImageInfo) []byte {
	var b strings.Builder
	for _, f := range [][2]string{
		{"ID", "stele"},
		{"NAME", "Stele"},
		{"PRETTY_NAME", fmt.Sprintf("Stele %s %s", info.Name, info.Version)},
		{"VERSION_ID", info.Version},
		{"IMAGE_ID", info.Name},
		{"IMAGE_VERSION", info.Version},
	} {
		fmt.Fprintf(&b, "%s=%q\n", f[0], f[1])
	}
	if info.SecurityVersion != 0 {
		fmt.Fprintf(&b, "%s=%d\n", bundle.SecurityVersionKey, info.SecurityVersion)
	}
	return []byte(b.String())
}
