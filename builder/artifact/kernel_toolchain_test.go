package artifact

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/kconfig"
)

func TestKernelToolchain(t *testing.T) {
	clang := []kconfig.Option{{Name: "CONFIG_CC_IS_CLANG", Value: "y"}}
	native := kernelTarget{goarch: runtime.GOARCH}
	foreign := kernelTarget{goarch: "none", triplet: "aarch64-linux-gnu"}
	cases := []struct {
		name          string
		target        kernelTarget
		wanted        []kconfig.Option
		make, shaping string
	}{
		{"gcc", native, nil, "", "gcc ld"},
		{"gcc asked for", native, []kconfig.Option{{Name: "CONFIG_CC_IS_CLANG", Value: "n"}}, "", "gcc ld"},
		{"gcc for another machine", foreign, nil, "CROSS_COMPILE=aarch64-linux-gnu-", "aarch64-linux-gnu-gcc aarch64-linux-gnu-ld"},
		{"clang", native, clang, "LLVM=-19", "clang-19 ld.lld-19"},
		{"clang for another machine", foreign, clang, "LLVM=-19", "clang-19 ld.lld-19"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			toolchain := kernelToolchainFor(c.target, c.wanted)
			if got := strings.Join(toolchain.makeArguments(), " "); got != c.make {
				t.Errorf("make gets %q, want %q", got, c.make)
			}
			shaping := toolchain.shaping()
			if got := strings.Join(shaping, " "); got != c.shaping {
				t.Errorf("the key has %q, want %q", got, c.shaping)
			}
			for _, name := range shaping {
				if !slices.ContainsFunc(toolchain.tools(), func(tool hostTool) bool { return tool.name == name }) {
					t.Errorf("nobody looks whether %q is there", name)
				}
			}
		})
	}
}

func TestMissingClangIsNamed(t *testing.T) {
	t.Setenv("PATH", "")
	err := checkKernelTools(t.Context(), kernelTarget{goarch: "none", triplet: "aarch64-linux-gnu"}, []kconfig.Option{{Name: "CONFIG_CC_IS_CLANG", Value: "y"}})
	missing, ok := err.(*MissingToolsError)
	if !ok || !strings.Contains(err.Error(), `"clang-19"`) || !strings.Contains(err.Error(), `"llvm-objcopy-19"`) {
		t.Fatalf("got %v", err)
	}
	if hint := missing.Hint(); strings.Count(hint, " llvm-19") != 1 || !strings.Contains(hint, " lld-19") || strings.Contains(hint, "aarch64") {
		t.Errorf("hint %q", hint)
	}
}

// TestMissingPluginsAreNamed: Linux drops an option that needs a plugin without a word when gcc cannot make plugins.
func TestMissingPluginsAreNamed(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	plugins := filepath.Join(bin, "plugin")
	script := "#!/bin/sh\ncase $1 in -dumpversion) echo 12;; *) echo " + plugins + ";; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "aarch64-linux-gnu-gcc"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	toolchain := kernelToolchainFor(kernelTarget{goarch: "none", triplet: "aarch64-linux-gnu"}, []kconfig.Option{{Name: "CONFIG_GCC_PLUGINS", Value: "y"}})
	want := hostTool{"plugin headers of aarch64-linux-gnu-gcc", "gcc-12-plugin-dev-aarch64-linux-gnu"}
	if missing := toolchain.missingPlugins(t.Context()); len(missing) != 1 || missing[0] != want {
		t.Errorf("got %v, want %v", missing, want)
	}
	if err := writeFile(filepath.Join(plugins, "include/plugin-version.h"), strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if missing := toolchain.missingPlugins(t.Context()); missing != nil {
		t.Errorf("got %v although the headers are there", missing)
	}
}

// TestLayoutSeedFollowsTheKey: equal inputs, equal layout; a new kernel or an option more, a new one.
func TestLayoutSeedFollowsTheKey(t *testing.T) {
	input := KernelInput{Architecture: "arm64", SourceSHA256: "1"}
	wanted := []kconfig.Option{{Name: "CONFIG_A", Value: "y", Reason: "one"}}
	seed := layoutSeed(input, wanted)
	if len(seed) != 64 || seed != layoutSeed(input, []kconfig.Option{{Name: "CONFIG_A", Value: "y", Reason: "other words"}}) {
		t.Errorf("seed %q does not depend on its inputs alone", seed)
	}
	newer := input
	newer.SourceSHA256 = "2"
	if seed == layoutSeed(newer, wanted) || seed == layoutSeed(input, append(wanted, kconfig.Option{Name: "CONFIG_BUILD_SALT", Value: `"mine"`})) {
		t.Error("another kernel has the same seed")
	}
}
