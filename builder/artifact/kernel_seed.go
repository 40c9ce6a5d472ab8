package artifact

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/kconfig"
)

// seedScript is what kbuild calls for the seed of CONFIG_RANDSTRUCT: "SCRIPT SEEDFILE HEADER" (scripts/basic/Makefile). The kernel's own
// takes 32 bytes of /dev/urandom, and no two builds would be the same.
const seedScript = "scripts/gen-randstruct-seed.sh"

// layoutSeed decides how structures are laid out. It is made of what the key is made of, so that equal keys are equal kernels: whoever
// knows source and fragments knows the layout, and whoever adds an option of their own (CONFIG_BUILD_SALT) has one of their own.
func layoutSeed(input KernelInput, wanted []kconfig.Option) string {
	text := fmt.Sprintf("structure layout\n%s\n%s\n%s", input.Architecture, input.SourceSHA256, kconfig.Format(wanted))
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
}

// fixLayoutSeed makes the tree use seed (64 hexadecimal digits).
func (t kernelTree) fixLayoutSeed(seed string) error {
	path := filepath.Join(t.dir, seedScript)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a kernel that cannot shuffle
	}
	if err == nil {
		script := fmt.Sprintf("#!/bin/sh\necho %s > \"$1\"\necho '#define RANDSTRUCT_HASHED_SEED \"%x\"' > \"$2\"\n", seed, sha256.Sum256([]byte(seed)))
		err = os.WriteFile(path, []byte(script), info.Mode())
	}
	if err != nil {
		return fmt.Errorf("cannot fix the seed of structure layouts: %w", err)
	}
	return nil
}
