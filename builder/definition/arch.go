package definition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/hint"
)

// Arch is an architecture by the name users write: "x86_64" or "arm64". Other worlds have other names for it.
type Arch string

// The architectures an image can be built for.
const (
	X8664 Arch = "x86_64"
	ARM64 Arch = "arm64"
)

// Arches are all architectures, in the order of help texts.
var Arches = []Arch{X8664, ARM64}

// otherNames are what Go, Debian, GNU and others call them.
var otherNames = map[string]Arch{"amd64": X8664, "x86-64": X8664, "x64": X8664, "aarch64": ARM64, "armv8": ARM64, "aa64": ARM64}

// ParseArch checks a user's word.
func ParseArch(s string) (Arch, error) {
	if a := Arch(s); slices.Contains(Arches, a) {
		return a, nil
	}
	err := fmt.Errorf("cannot use architecture %q: it is none of %s", s, joined(Arches))
	if ours, found := otherNames[strings.ToLower(s)]; found {
		return "", hint.New(err, fmt.Sprintf("%s is called %s here", s, ours))
	}
	return "", err
}

// Debian is the name in Debian's archive and, by chance, GOARCH.
func (a Arch) Debian() string {
	if a == X8664 {
		return "amd64"
	}
	return string(a)
}

// Go is GOARCH and the architecture of OCI images.
func (a Arch) Go() string { return a.Debian() }

// Triplet is the GNU triplet of compilers and library folders.
func (a Arch) Triplet() string {
	if a == X8664 {
		return "x86_64-linux-gnu"
	}
	return "aarch64-linux-gnu"
}

// EFI is the suffix of UEFI file names (UEFI specification 3.5.1.1), in lower case as systemd writes them.
func (a Arch) EFI() string {
	if a == X8664 {
		return "x64"
	}
	return "aa64"
}

func joined[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}
