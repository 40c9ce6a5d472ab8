package artifact

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/kconfig"
)

// hostTool is a program or header file of the build host, and the Debian package that has it.
type hostTool struct{ name, debianPackage string }

// kernelCompressors are the tools behind each CONFIG_KERNEL_* choice (init/Kconfig, "Kernel compression mode").
var kernelCompressors = map[string]hostTool{
	"CONFIG_KERNEL_GZIP": {"gzip", "gzip"},
	"CONFIG_KERNEL_LZ4":  {"lz4", "lz4"},
	"CONFIG_KERNEL_ZSTD": {"zstd", "zstd"},
	"CONFIG_KERNEL_XZ":   {"xz", "xz-utils"},
}

// kernelTools is what a kernel build calls (Documentation/process/changes.rst).
func kernelTools(target kernelTarget, wanted []kconfig.Option) []hostTool {
	tools := []hostTool{
		{"tar", "tar"}, {"xz", "xz-utils"}, {"make", "make"},
		{"flex", "flex"}, {"bison", "bison"}, {"bc", "bc"}, {"/usr/include/gelf.h", "libelf-dev"},
	}
	tools = append(tools, kernelToolchainFor(target, wanted).tools()...)
	return append(tools, kernelCompressorsOf(wanted)...)
}

func kernelCompressorsOf(wanted []kconfig.Option) []hostTool {
	var tools []hostTool
	for _, option := range wanted {
		if tool, found := kernelCompressors[option.Name]; found && option.Value == "y" {
			tools = append(tools, tool)
		}
	}
	return tools
}

// MissingToolsError names the programs that the build host lacks.
type MissingToolsError struct{ Missing []hostTool }

func (e *MissingToolsError) Error() string {
	var names []string
	for _, tool := range e.Missing {
		names = append(names, fmt.Sprintf("%q", tool.name))
	}
	return "cannot find " + strings.Join(names, ", ") + " on this host"
}

// Hint names the next step.
func (e *MissingToolsError) Hint() string {
	var packages []string
	for _, tool := range e.Missing {
		if !slices.Contains(packages, tool.debianPackage) {
			packages = append(packages, tool.debianPackage)
		}
	}
	return "apt-get install " + strings.Join(packages, " ")
}

func checkKernelTools(ctx context.Context, target kernelTarget, wanted []kconfig.Option) error {
	var missing []hostTool
	for _, tool := range kernelTools(target, wanted) {
		if !hostHas(tool.name) {
			missing = append(missing, tool)
		}
	}
	missing = append(missing, kernelToolchainFor(target, wanted).missingPlugins(ctx)...)
	if len(missing) > 0 {
		return &MissingToolsError{Missing: missing}
	}
	return nil
}

func hostHas(name string) bool {
	if strings.HasPrefix(name, "/") {
		_, err := os.Stat(name)
		return err == nil
	}
	_, err := exec.LookPath(name)
	return err == nil
}
