package artifact

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/stele-os/stele/internal/kconfig"
)

// kernelTree is an unpacked kernel source on its way to a kernel.
type kernelTree struct {
	dir       string
	target    kernelTarget
	toolchain kernelToolchain
	build     KernelBuild
}

// kernelLocalVersion follows the version in uname -r.
const kernelLocalVersion = "-stele"

// kernelIdentity replaces what the kernel would otherwise take from clock, user and host
// (Documentation/kbuild/reproducible-builds.rst).
var kernelIdentity = []string{
	"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
	"KBUILD_BUILD_USER=stele",
	"KBUILD_BUILD_HOST=stele",
	"KBUILD_BUILD_VERSION=1",
}

func (t kernelTree) report(step string, done int) {
	if t.build.Progress != nil {
		t.build.Progress(KernelProgress{Step: step, Done: done, Expected: t.target.expectedCalls})
	}
}

// unpack extracts the tarball without its top directory, so that the tree's own name is always the same.
func (t kernelTree) unpack(ctx context.Context, source string) error {
	t.report("unpack", 0)
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("cannot read kernel source: %w", err)
	}
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return fmt.Errorf("cannot make source directory: %w", err)
	}
	return t.run(ctx, nil, "tar", "--extract", "--xz", "--file", source, "--strip-components=1", "--no-same-owner")
}

// configure turns the wanted options into a full .config and verifies that each survived.
func (t kernelTree) configure(ctx context.Context, wanted []kconfig.Option) error {
	t.report("configure", 0)
	request := filepath.Join(t.dir, ".stele-request.config")
	if err := os.WriteFile(request, kconfig.Format(wanted), 0o644); err != nil {
		return fmt.Errorf("cannot write merged fragments: %w", err)
	}
	if err := t.make(ctx, nil, "allnoconfig", "KCONFIG_ALLCONFIG="+filepath.Base(request)); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(t.dir, ".config"))
	if err != nil {
		return fmt.Errorf("cannot read final kernel configuration: %w", err)
	}
	final, err := kconfig.ParseConfig(".config", text)
	if err != nil {
		return err
	}
	return t.explain(kconfig.Check(wanted, final))
}

func (t kernelTree) compile(ctx context.Context) error {
	done := 0
	t.report("compile", done)
	count := func(line string) {
		if isCompilerCall(line) {
			done++
			t.report("compile", done)
		}
	}
	return t.make(ctx, count, "-j"+strconv.Itoa(max(t.build.Jobs, 1)), t.target.goal)
}

// kernelAbsentTools are tools the build does not use but looks for: their versions would enter the configuration, which the kernel
// carries (IKCONFIG), so that a host with a Rust compiler would make other bytes. No program has this name.
var kernelAbsentTools = []string{"RUSTC=stele-absent", "BINDGEN=stele-absent", "PAHOLE=stele-absent"}

func (t kernelTree) make(ctx context.Context, onLine func(string), arguments ...string) error {
	common := append([]string{"ARCH=" + t.target.makeArch, "LOCALVERSION=" + kernelLocalVersion}, kernelAbsentTools...)
	common = append(common, t.toolchain.makeArguments()...)
	return t.run(ctx, onLine, "make", append(common, arguments...)...)
}
