package artifact

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
)

// RuncName is the file that Runc makes.
const RuncName = "runc"

const runcModule = "github.com/opencontainers/runc"

// runcArguments build runc static and position-independent. runc needs cgo always (its nsenter is C). The tag libpathrs is
// left out: it needs a Rust library, and runc falls back to its own resolution of paths.
var runcArguments = []string{
	"build", "-trimpath", "-buildmode=pie", "-tags", "seccomp urfave_cli_no_docs netgo osusergo",
	"-ldflags", "-s -w -buildid= -linkmode external -extldflags '-static-pie -Wl,--build-id=none'",
}

// Runc builds the OCI runtime from the module in go.mod, with the static libseccomp of a pinned Debian package and the
// host's C compiler and C library: both are part of the key.
func (g *Go) Runc(ctx context.Context, libseccomp Package, arch definition.Arch) (Recipe, error) {
	compiler, err := cCompiler(arch)
	if err != nil {
		return Recipe{}, err
	}
	toolchain, libc, err := describeCompiler(ctx, compiler, arch)
	if err != nil {
		return Recipe{}, err
	}
	version, err := g.moduleVersion(runcModule)
	if err != nil {
		return Recipe{}, err
	}
	key := store.NewKey("runc-"+string(arch)).Add("go", g.Version).Add("modules", g.modules).Add("toolchain", toolchain).Add("libc", libc).
		Add("libseccomp", libseccomp.SHA256).Add("arguments", strings.Join(runcArguments, "\x00"))
	tools := map[string]string{"go": g.Version, compiler: toolchain}
	return Recipe{Key: key, Version: version, Tools: tools, Build: func(ctx context.Context, dir string) error {
		sysroot := filepath.Join(dir, ".sysroot")
		defer os.RemoveAll(sysroot)
		if err := unpackLibrary(ctx, libseccomp, sysroot); err != nil {
			return err
		}
		env := g.env(cgoEnvironment(sysroot, compiler, arch))
		return run(ctx, g.Root, env, "go", append(runcArguments, "-o", filepath.Join(dir, RuncName), runcModule)...)
	}}, nil
}

// cgoEnvironment makes the compiler and pkg-config see the unpacked library and not the host's.
func cgoEnvironment(sysroot, compiler string, arch definition.Arch) []string {
	library := filepath.Join(sysroot, "usr/lib", arch.Triplet())
	return []string{
		"CGO_ENABLED=1", "GOARCH=" + arch.Go(), "CC=" + compiler,
		"PKG_CONFIG_LIBDIR=" + filepath.Join(library, "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR=" + sysroot,
		"CGO_CFLAGS=-O2 -g0 -ffile-prefix-map=" + sysroot + "=/sysroot -I" + filepath.Join(sysroot, "usr/include"), "CGO_LDFLAGS=-L" + library,
	}
}

func cCompiler(arch definition.Arch) (string, error) {
	tool := hostTool{"gcc", "gcc"}
	if crosses(arch) {
		tool = hostTool{arch.Triplet() + "-gcc", "gcc-" + strings.ReplaceAll(arch.Triplet(), "_", "-")}
	}
	return tool.name, requireTools(tool, hostTool{"pkg-config", "pkg-config"})
}

// crosses tells whether this host's own compiler makes programs of another architecture.
func crosses(arch definition.Arch) bool { return runtime.GOARCH != arch.Go() }

// describeCompiler names the compiler and hashes the C library that ends up in the program.
func describeCompiler(ctx context.Context, compiler string, arch definition.Arch) (version, libcDigest string, err error) {
	version, err = versionLine(ctx, compiler)
	if err != nil {
		return "", "", err
	}
	output, err := exec.CommandContext(ctx, compiler, "-print-file-name=libc.a").Output()
	if err != nil {
		return "", "", fmt.Errorf("cannot ask %q for the C library: %w", compiler, err)
	}
	path := strings.TrimSpace(string(output))
	if !filepath.IsAbs(path) { // gcc repeats the name of what it does not find
		return "", "", &MissingToolsError{Missing: []hostTool{{"libc.a for " + string(arch), libcPackage(arch)}}}
	}
	libc, err := store.DigestFile(path)
	if err != nil {
		return "", "", fmt.Errorf("cannot read the static C library: %w", err)
	}
	return version, libc.SHA256, nil
}

// libcPackage is the Debian package of the static C library.
func libcPackage(arch definition.Arch) string {
	if crosses(arch) {
		return "libc6-dev-" + arch.Debian() + "-cross"
	}
	return "libc6-dev"
}

// unpackLibrary unpacks headers, static libraries and pkg-config files of a -dev package.
func unpackLibrary(ctx context.Context, p Package, sysroot string) error {
	return p.walk(ctx, func(name string, header *tar.Header, content io.Reader) error {
		wanted := strings.HasPrefix(name, "/usr/include/") || strings.HasPrefix(name, "/usr/lib/")
		if header.Typeflag != tar.TypeReg || !wanted {
			return nil
		}
		return writeFile(filepath.Join(sysroot, name), content)
	})
}
