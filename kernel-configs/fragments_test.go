package kernelconfigs_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/internal/kconfig"
)

var update = flag.Bool("update", false, "rewrite an architecture's .final file from the built configuration that STELE_KERNEL_CONFIG names")

var architectures = []string{"x86_64", "arm64"}

func merged(t *testing.T, architecture string) []kconfig.Option {
	t.Helper()
	var fragments []kconfig.Fragment
	for _, name := range artifact.KernelFragments(architecture) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fragment, err := kconfig.ParseFragment(name, text)
		if err != nil {
			t.Fatal(err)
		}
		fragments = append(fragments, fragment)
	}
	options, err := kconfig.Merge(fragments...)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

// TestEveryOptionHasAReason also holds that fragments are well-formed and agree with each other.
func TestEveryOptionHasAReason(t *testing.T) {
	for _, architecture := range architectures {
		t.Run(architecture, func(t *testing.T) {
			for _, option := range merged(t, architecture) {
				if option.Reason == "" {
					t.Errorf("%s:%d: %s has no reason", option.Fragment, option.Line, option.Name)
				}
			}
		})
	}
}

func TestNoFragmentIsForgotten(t *testing.T) {
	var used []string
	for _, architecture := range architectures {
		used = append(used, artifact.KernelFragments(architecture)...)
	}
	found, err := filepath.Glob("*.config")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if !slices.Contains(used, name) {
			t.Errorf("%q belongs to no architecture", name)
		}
	}
}

// TestEveryOptionSurvived holds the fragments against the .config that the kernel's own allnoconfig made of them, which is
// checked in, so that no kernel source is needed. Its first line says of which fragments it was made.
func TestEveryOptionSurvived(t *testing.T) {
	if *update {
		writeFinal(t)
	}
	for _, architecture := range architectures {
		t.Run(architecture, func(t *testing.T) {
			path, options := architecture+".final", merged(t, architecture)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(text, heading(options)) {
				t.Errorf("%q was not made of these fragments; build the kernel, then run STELE_KERNEL_CONFIG=<its config> go test ./kernel-configs -update", path)
			}
			final, err := kconfig.ParseConfig(path, text)
			if err != nil {
				t.Fatal(err)
			}
			if err := kconfig.Check(options, final); err != nil {
				t.Error(err)
			}
		})
	}
}

func heading(options []kconfig.Option) []byte {
	return fmt.Appendf(nil, "# made of fragments with SHA-256 %x\n", sha256.Sum256(kconfig.Format(options)))
}

// writeFinal rewrites the file of the architecture that the built configuration is for.
func writeFinal(t *testing.T) {
	built, err := os.ReadFile(os.Getenv("STELE_KERNEL_CONFIG"))
	if err != nil {
		t.Fatalf("STELE_KERNEL_CONFIG must name the config file of a finished kernel build: %v", err)
	}
	architecture := "x86_64"
	if bytes.Contains(built, []byte("\nCONFIG_ARM64=y\n")) {
		architecture = "arm64"
	}
	if err := os.WriteFile(architecture+".final", append(heading(merged(t, architecture)), kconfig.Strip(built)...), 0o644); err != nil {
		t.Fatal(err)
	}
}
