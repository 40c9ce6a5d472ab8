//go:build qemu

package build

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/test/hardening"
)

const kernelConfigs = "../../kernel-configs"

// TestVerdict asks the yardstick about the configuration of each architecture. What it says about command line and parameters comes from a
// running machine (TestHardening in test/qemu) and stays as it is here.
func TestVerdict(t *testing.T) {
	tool, err := hardening.Open(t.Context(), "../../images/lock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	for _, architecture := range []string{"x86_64", "arm64"} {
		t.Run(architecture, func(t *testing.T) {
			path := filepath.Join(kernelConfigs, architecture)
			final, err := os.ReadFile(path + ".final")
			if err != nil {
				t.Fatal(err)
			}
			checks, err := tool.Check(t.Context(), hardening.Subject{Config: path + ".final"})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v", hardening.Scores(checks)[hardening.Kconfig])
			golden.Compare(t, path+".verdict", string(hardening.Verdict(tool.Version, final, append(checks, ofMachine(t, path+".verdict")...))))
		})
	}
}

// ofMachine are the checks of a verdict that are not about the configuration.
func ofMachine(t *testing.T, path string) []hardening.Check {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // the comparison says what is missing
	}
	_, checks, err := hardening.DecodeVerdict(text)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(checks, func(c hardening.Check) bool { return c.Kind == hardening.Kconfig })
}
