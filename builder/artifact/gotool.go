package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/hint"
)

// Go is the host's Go toolchain, working in one checkout of this module.
type Go struct {
	// Root is the checkout.
	Root string
	// Version as "go1.26.6": with go.sum, all that Go-built parts depend on beside the checkout's own sources.
	Version string
	modules string
}

// OpenGo asks the toolchain that go.mod selects for its version.
func OpenGo(ctx context.Context, root string) (*Go, error) {
	g := &Go{Root: root}
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Dir, cmd.Env = root, g.env(nil)
	output, err := cmd.Output()
	if err != nil {
		return nil, hint.New(fmt.Errorf("cannot ask the Go toolchain for its version: %w", err), "run scripts/host-packages, or install Go from go.dev/dl")
	}
	g.Version = strings.TrimSpace(string(output))
	g.modules, err = g.digestModules()
	return g, err
}

// env is the host's environment without what would change the result.
func (g *Go) env(more []string) []string {
	var env []string
	for _, pair := range os.Environ() {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOWORK", "GODEBUG", "CGO_ENABLED",
			"CC", "CGO_CFLAGS", "CGO_LDFLAGS", "CGO_CPPFLAGS", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR":
		default:
			env = append(env, pair)
		}
	}
	if os.Getenv("GOTOOLCHAIN") == "" {
		env = append(env, "GOTOOLCHAIN=auto") // Debian's Go stays with its own version otherwise
	}
	return append(append(env, "GOFLAGS=-mod=readonly -buildvcs=false", "GOOS=linux", "GOAMD64=v1", "GOARM64=v8.0", "GOWORK=off"), more...)
}

func (g *Go) digestModules() (string, error) {
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(g.Root, name))
		if err != nil {
			return "", fmt.Errorf("cannot read the module's requirements: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Program is a static program built from one main package of the checkout.
type Program struct {
	// Name of the artifact; its one file has this name too.
	Name string
	// Dir is the main package's folder, relative to the checkout.
	Dir string
	// Tags are build tags, separated by spaces.
	Tags string
}

// Program builds a main package without cgo, stripped. An unchanged package does not even start the compiler: the key is the
// content of every folder of the checkout that the program imports.
func (g *Go) Program(p Program, arch definition.Arch) (Recipe, error) {
	sources, err := digestPackages(g.Root, p.Dir)
	if err != nil {
		return Recipe{}, err
	}
	args := []string{"build", "-trimpath", "-tags", p.Tags, "-ldflags", "-s -w -buildid="}
	key := store.NewKey(p.Name+"-"+string(arch)).Add("go", g.Version).Add("modules", g.modules).
		Add("sources", sources).Add("arguments", strings.Join(args, "\x00"))
	return Recipe{Key: key, Tools: map[string]string{"go": g.Version}, Build: func(ctx context.Context, dir string) error {
		env := g.env([]string{"CGO_ENABLED=0", "GOARCH=" + arch.Go()})
		return run(ctx, g.Root, env, "go", append(args, "-o", filepath.Join(dir, p.Name), "./"+filepath.ToSlash(p.Dir))...)
	}}, nil
}
