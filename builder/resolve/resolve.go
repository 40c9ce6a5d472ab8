package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/internal/debian"
)

// Want is one package that builds take files from.
type Want struct {
	Name, Suite string
	// Every tells that the package differs by architecture; else one pin (of architecture "all") serves all.
	Every bool
}

// Suite is the Debian release every input comes from.
const Suite = "trixie"

// Backports is where packages come from that trixie itself lacks.
const Backports = Suite + "-backports"

// KernelHardeningChecker is the package of the program that judges a kernel; test/hardening runs it.
const KernelHardeningChecker = "kernel-hardening-checker"

// Wants are all packages a build takes files from, whatever machine it runs on.
var Wants = []Want{
	{Name: "linux-source-6.12", Suite: Suite},
	{Name: "systemd-boot-efi", Suite: Suite, Every: true}, // loader and UKI stub
	{Name: "ca-certificates", Suite: Suite},
	{Name: "libseccomp-dev", Suite: Suite, Every: true}, // static library and headers for runc
	{Name: KernelHardeningChecker, Suite: Backports},    // the yardstick of kernel-configs; no part of an image
}

// Index is a suite's verified index; *debian.Archive is one.
type Index interface {
	Index(ctx context.Context, suite, component, architecture string, each func(debian.Package) error) (signed time.Time, err error)
}

// Resolve pins the newest version of every wanted package that the index lists.
func Resolve(ctx context.Context, index Index, wants []Want) (*Lock, error) {
	lock := &Lock{}
	newest := map[pinKey]debian.Package{}
	for suite, names := range bySuite(wants) {
		for _, arch := range definition.Arches {
			signed, err := index.Index(ctx, suite, "main", arch.Debian(), func(p debian.Package) error {
				key := pinKey{p.Name, suite, p.Architecture}
				if old, ok := newest[key]; names[p.Name] && (!ok || debian.CompareVersions(p.Version, old.Version) > 0) {
					newest[key] = p
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			if signed.After(lock.Date) {
				lock.Date = signed.UTC()
			}
		}
	}
	for _, want := range wants {
		for _, architecture := range architectures(want) {
			p, ok := newest[pinKey{want.Name, want.Suite, architecture}]
			if !ok {
				return nil, fmt.Errorf("cannot find package %q for %s in suite %q", want.Name, architecture, want.Suite)
			}
			lock.Packages = append(lock.Packages, Pin{
				Name: p.Name, Suite: want.Suite, Architecture: p.Architecture, Version: p.Version,
				Path: p.Path, SizeBytes: p.SizeBytes, SHA256: p.SHA256,
			})
		}
	}
	slices.SortFunc(lock.Packages, func(a, b Pin) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Architecture, b.Architecture))
	})
	return lock, nil
}

type pinKey struct{ name, suite, architecture string }

func bySuite(wants []Want) map[string]map[string]bool {
	suites := map[string]map[string]bool{}
	for _, want := range wants {
		if suites[want.Suite] == nil {
			suites[want.Suite] = map[string]bool{}
		}
		suites[want.Suite][want.Name] = true
	}
	return suites
}

func architectures(want Want) []string {
	if !want.Every {
		return []string{"all"}
	}
	var names []string
	for _, arch := range definition.Arches {
		names = append(names, arch.Debian())
	}
	return names
}
