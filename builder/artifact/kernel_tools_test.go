package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/internal/kconfig"
)

func TestMissingToolsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", "")
	wanted := []kconfig.Option{{Name: "CONFIG_KERNEL_LZ4", Value: "y"}, {Name: "CONFIG_KERNEL_XZ", Value: "n"}}
	err := checkKernelTools(t.Context(), kernelTarget{goarch: "none", triplet: "x86_64-linux-gnu"}, wanted)
	var missing *MissingToolsError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v, want a MissingToolsError", err)
	}
	for _, want := range []string{`"make"`, `"lz4"`, `"x86_64-linux-gnu-gcc"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	for _, want := range []string{"apt-get install", " flex ", " gcc-x86-64-linux-gnu ", " binutils "} {
		if !strings.Contains(missing.Hint(), want) {
			t.Errorf("hint %q does not name %q", missing.Hint(), want)
		}
	}
}

// TestMissingCrossCompiler: whoever builds for the other architecture is told what to install, compiler and C library.
func TestMissingCrossCompiler(t *testing.T) {
	other := definition.ARM64
	if !crosses(other) {
		other = definition.X8664
	}
	triplet := other.Triplet()
	bin := t.TempDir()
	program := func(name, script string) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	program("pkg-config", "")
	cases := []struct {
		name, script, object, hint string
	}{
		{"compiler", "", `"` + triplet + `-gcc"`, "apt-get install gcc-" + strings.ReplaceAll(triplet, "_", "-")},
		{"C library", `case $1 in --version) echo gcc 1;; *) echo libc.a;; esac`, `"libc.a for ` + string(other) + `"`, "apt-get install libc6-dev-" + other.Debian() + "-cross"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.script != "" {
				program(triplet+"-gcc", c.script)
			}
			_, err := (&Go{Root: "../.."}).Runc(t.Context(), Package{}, other)
			var missing *MissingToolsError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), c.object) || missing.Hint() != c.hint {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestKernelKeyFollowsItsInputs(t *testing.T) {
	input := fakeInput(t, "CONFIG_A=y  # r\n")
	base, err := NewKernelKey(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	reworded := input
	reworded.Fragments = fakeInput(t, "CONFIG_A=y  # in other words\n").Fragments
	other := input
	other.Fragments = fakeInput(t, "CONFIG_A=n  # r\n").Fragments
	newer := input
	newer.SourceSHA256 = "newer"
	cases := []struct {
		name  string
		input KernelInput
		same  bool
	}{{"again", input, true}, {"other reason", reworded, true}, {"other option", other, false}, {"other source", newer, false}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			key, err := NewKernelKey(t.Context(), c.input)
			if err != nil {
				t.Fatal(err)
			}
			if same := key.Digest() == base.Digest(); same != c.same {
				t.Errorf("same key: %v, want %v", same, c.same)
			}
		})
	}
}
