package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"

	"github.com/stele-os/stele/internal/kconfig"
)

// kernelRecipe changes whenever this package builds a kernel in another way from the same inputs.
const kernelRecipe = "3"

// KernelKey is everything that the bytes of a kernel depend on. Equal keys, equal kernels.
type KernelKey struct {
	Recipe       string
	Architecture string
	// SourceSHA256 of the tarball; ConfigSHA256 of the merged fragments without their reasons.
	SourceSHA256, ConfigSHA256 string
	// Tools that shape the bytes (compiler, linker, compressor): the first line of each one's --version.
	Tools []string
}

// NewKernelKey computes the key of input on this host; it runs the tools only for their versions.
func NewKernelKey(ctx context.Context, input KernelInput) (KernelKey, error) {
	target, err := kernelTargetFor(input.Architecture)
	if err != nil {
		return KernelKey{}, err
	}
	wanted, err := kconfig.Merge(input.Fragments...)
	if err != nil {
		return KernelKey{}, err
	}
	if err := checkKernelTools(ctx, target, wanted); err != nil {
		return KernelKey{}, err
	}
	config := sha256.Sum256(kconfig.Format(wanted))
	key := KernelKey{
		Recipe: kernelRecipe, Architecture: input.Architecture,
		SourceSHA256: input.SourceSHA256, ConfigSHA256: hex.EncodeToString(config[:]),
	}
	tools := kernelToolchainFor(target, wanted).shaping()
	for _, compressor := range kernelCompressorsOf(wanted) {
		tools = append(tools, compressor.name)
	}
	for _, tool := range tools {
		version, err := versionLine(ctx, tool)
		if err != nil {
			return KernelKey{}, err
		}
		key.Tools = append(key.Tools, version)
	}
	return key, nil
}

// Digest is the key as a name for a cache, in hexadecimal.
func (k KernelKey) Digest() string {
	lines := append([]string{"kernel", k.Recipe, k.Architecture, k.SourceSHA256, k.ConfigSHA256}, k.Tools...)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}

func versionLine(ctx context.Context, program string) (string, error) {
	output, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("cannot ask %q for its version: %w", program, err)
	}
	line, _, _ := strings.Cut(string(output), "\n")
	return line, nil
}
