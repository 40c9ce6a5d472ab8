package artifact

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/kconfig"
	"github.com/stele-os/stele/internal/oracle"
)

// fakeMakefile behaves like the kernel's as far as BuildKernel can see. CONFIG_DROPPED never survives.
const fakeMakefile = `
allnoconfig:
	@grep -v CONFIG_DROPPED $(KCONFIG_ALLCONFIG) > .config
bzImage:
	@echo '  CC      init/main.o'
	@echo '  LD      vmlinux'
	@echo 'note: no call'
	@test -z '$(CFLAGS)' || { echo 'environment leaked'; exit 1; }
	@if grep -q CONFIG_BROKEN .config; then for i in $$(seq 60); do echo "line $$i"; done; exit 1; fi
	@if grep -q CONFIG_ENDLESS .config; then sleep 600; fi
	@mkdir -p include/config arch/x86/boot init
	@echo 'int data[1000] = {1}; int bss[1000];' | gcc -c -x c - -o init/main.o && ar cDPrST vmlinux.a init/main.o
	@echo '6.12.0$(LOCALVERSION)' > include/config/kernel.release
	@sh scripts/gen-randstruct-seed.sh seed hash && test $$(wc -c < seed) = 65 && grep -q '^#define RANDSTRUCT_HASHED_SEED "[0-9a-f]*"$$' hash
	@echo "$$KBUILD_BUILD_USER@$$KBUILD_BUILD_HOST $$KBUILD_BUILD_TIMESTAMP $(RUSTC)" > arch/x86/boot/bzImage
`

// fakeSource packs fakeMakefile as a kernel tarball.
func fakeSource(t *testing.T) string {
	t.Helper()
	requireKernelTools(t)
	dir := t.TempDir()
	tree := filepath.Join(dir, "linux-source-0")
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"Makefile": fakeMakefile, "drivers/Kconfig.fake": "menuconfig DROPPED\n\tbool\nconfig A\n", seedScript: "exit 1\n",
	}
	for name, content := range files {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tarball := filepath.Join(dir, "linux-source-0.tar.xz")
	if output, err := exec.Command("tar", "-cJf", tarball, "-C", dir, "linux-source-0").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return tarball
}

// requireKernelTools skips on a host that could not build a kernel either; in CI that is a failure.
func requireKernelTools(t *testing.T) {
	t.Helper()
	target, err := kernelTargetFor("x86_64")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkKernelTools(t.Context(), target, nil); err != nil {
		oracle.Missing(t, err.Error())
	}
}

func fakeInput(t *testing.T, options string) KernelInput {
	t.Helper()
	fragment, err := kconfig.ParseFragment("f.config", []byte(options))
	if err != nil {
		t.Fatal(err)
	}
	return KernelInput{Architecture: "x86_64", Source: fakeSource(t), Fragments: []kconfig.Fragment{fragment}}
}

func TestBuildKernel(t *testing.T) {
	t.Setenv("CFLAGS", "-DLEAK")
	var last KernelProgress
	build := KernelBuild{
		WorkDir: t.TempDir(), OutputDir: filepath.Join(t.TempDir(), "out"), Jobs: 2,
		Progress: func(p KernelProgress) { last = p },
	}
	output, err := BuildKernel(t.Context(), fakeInput(t, "CONFIG_A=y  # r\nCONFIG_B=n  # r\n"), build)
	if err != nil {
		t.Fatal(err)
	}
	if output.Release != "6.12.0-stele" {
		t.Errorf("release %q", output.Release)
	}
	expectFile(t, output.Image, "stele@stele Thu Jan  1 00:00:00 UTC 1970 stele-absent\n")
	expectFile(t, output.Config, "CONFIG_A=y\nCONFIG_B=n\n")
	sizes, err := os.ReadFile(filepath.Join(build.OutputDir, KernelSizesName))
	if err != nil || !regexp.MustCompile(`^\{\n "init": 40\d\d\n\}\n$`).Match(sizes) {
		t.Errorf("sizes %s, %v, want what init/main.o loads", sizes, err)
	}
	if last.Step != "compile" || last.Done != 2 {
		t.Errorf("last progress %+v, want 2 calls compiled", last)
	}
	expectEmpty(t, build.WorkDir)
}

func TestBuildKernelFailures(t *testing.T) {
	cases := []struct {
		name, options string
		want          []string
	}{
		{"option lost", "CONFIG_A=y  # r\nCONFIG_DROPPED=y  # r\n", []string{"f.config:2: CONFIG_DROPPED=y became n"}},
		{"option unknown", "CONFIG_A=y  # r\nCONFIG_DROPPED_TO=y  # r\n", []string{"f.config:2: CONFIG_DROPPED_TO: this kernel has no such option"}},
		{"compiler error", "CONFIG_BROKEN=y  # r\n", []string{"make bzImage: exit status 2", "\nline 60\n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			build := KernelBuild{WorkDir: t.TempDir(), OutputDir: filepath.Join(t.TempDir(), "out")}
			_, err := BuildKernel(t.Context(), fakeInput(t, c.options), build)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to contain %q", err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), "line 10\n") {
				t.Errorf("error repeats more than the last lines: %v", err)
			}
			if _, err := os.Stat(build.OutputDir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("output directory exists after a failure: %v", err)
			}
			expectEmpty(t, build.WorkDir)
		})
	}
}

func TestBuildKernelStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	build := KernelBuild{
		WorkDir: t.TempDir(), OutputDir: t.TempDir(),
		Progress: func(p KernelProgress) {
			if p.Done == 2 {
				time.AfterFunc(50*time.Millisecond, cancel)
			}
		},
	}
	_, err := BuildKernel(ctx, fakeInput(t, "CONFIG_ENDLESS=y  # r\n"), build)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	expectEmpty(t, build.WorkDir)
	expectEmpty(t, build.OutputDir)
}

func TestBuildKernelBadInput(t *testing.T) {
	cases := []struct {
		name   string
		change func(*KernelInput)
		want   string
	}{
		{"architecture", func(i *KernelInput) { i.Architecture = "mips" }, `cannot build kernel for "mips": unknown architecture`},
		{"no source", func(i *KernelInput) { i.Source = "/nonexistent.tar.xz" }, "cannot read kernel source"},
		{"bad source", func(i *KernelInput) { i.Source = os.DevNull }, "tar "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			input := fakeInput(t, "CONFIG_A=y  # r\n")
			c.change(&input)
			_, err := BuildKernel(t.Context(), input, KernelBuild{WorkDir: t.TempDir(), OutputDir: t.TempDir()})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to contain %q", err, c.want)
			}
		})
	}
}

func expectFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
	}
}

func expectEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%s: %v, %v, want it empty", dir, entries, err)
	}
}
