package artifact

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/kconfig"
)

// llvmVersion is the release of clang and lld that kernels are built with: the newest one that Debian 12 has.
const llvmVersion = "19"

// kernelToolchain is the compiler that a configuration asks for: clang and lld where CONFIG_CC_IS_CLANG=y is wanted, which compile
// for every architecture, else gcc and binutils, by cross compiler where the host is another machine.
type kernelToolchain struct {
	clang, plugins bool
	// prefix of gcc and binutils, CROSS_COMPILE; empty for a native build.
	prefix, triplet string
}

func kernelToolchainFor(target kernelTarget, wanted []kconfig.Option) kernelToolchain {
	return kernelToolchain{
		clang: isWanted(wanted, "CONFIG_CC_IS_CLANG"), plugins: isWanted(wanted, "CONFIG_GCC_PLUGINS"),
		prefix: target.crossPrefix(), triplet: target.triplet,
	}
}

func isWanted(options []kconfig.Option, name string) bool {
	return slices.ContainsFunc(options, func(o kconfig.Option) bool { return o.Name == name && o.Value == "y" })
}

// makeArguments are the toolchain's words for make (Documentation/kbuild/llvm.rst).
func (c kernelToolchain) makeArguments() []string {
	switch {
	case c.clang:
		return []string{"LLVM=-" + llvmVersion}
	case c.prefix != "":
		return []string{"CROSS_COMPILE=" + c.prefix}
	}
	return nil
}

// shaping are the programs whose versions enter the key.
func (c kernelToolchain) shaping() []string {
	if c.clang {
		return []string{"clang-" + llvmVersion, "ld.lld-" + llvmVersion}
	}
	return []string{c.prefix + "gcc", c.prefix + "ld"}
}

// archiver lists what an archive of objects holds.
func (c kernelToolchain) archiver() string {
	if c.clang {
		return "llvm-ar-" + llvmVersion
	}
	return c.prefix + "ar"
}

// tools that must be there. The host's own gcc and ld serve in both cases: clang links host programs with gcc's libraries.
func (c kernelToolchain) tools() []hostTool {
	tools := []hostTool{{"gcc", "gcc"}, {"ld", "binutils"}}
	if c.clang {
		tools = append(tools, hostTool{"clang-" + llvmVersion, "clang-" + llvmVersion}, hostTool{"ld.lld-" + llvmVersion, "lld-" + llvmVersion})
		for _, name := range []string{"ar", "nm", "objcopy", "objdump", "readelf", "strip"} {
			tools = append(tools, hostTool{"llvm-" + name + "-" + llvmVersion, "llvm-" + llvmVersion})
		}
	} else if c.prefix != "" {
		suffix := strings.ReplaceAll(c.triplet, "_", "-")
		tools = append(tools, hostTool{c.prefix + "gcc", "gcc-" + suffix}, hostTool{c.prefix + "ld", "binutils-" + suffix})
	}
	return tools
}

// missingPlugins names the headers that gcc's plugins are compiled against, where they are wanted and the compiler lacks them: without
// them Linux drops every option that needs one, and says nothing.
func (c kernelToolchain) missingPlugins(ctx context.Context) []hostTool {
	if !c.plugins || c.clang {
		return nil
	}
	compiler := c.prefix + "gcc"
	output, err := exec.CommandContext(ctx, compiler, "-print-file-name=plugin").Output()
	directory := strings.TrimSpace(string(output))
	if err == nil && filepath.IsAbs(directory) && hostHas(filepath.Join(directory, "include", "plugin-version.h")) {
		return nil
	}
	version, _ := exec.CommandContext(ctx, compiler, "-dumpversion").Output()
	name := "gcc-" + strings.TrimSpace(string(version)) + "-plugin-dev"
	if c.prefix != "" {
		name += "-" + strings.ReplaceAll(c.triplet, "_", "-")
	}
	return []hostTool{{"plugin headers of " + compiler, name}}
}
