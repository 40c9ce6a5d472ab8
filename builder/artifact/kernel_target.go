package artifact

import (
	"fmt"
	"runtime"
)

// kernelTarget is what differs between architectures.
type kernelTarget struct {
	// architecture as the image definition names it; makeArch as the kernel's Makefile does (ARCH=).
	architecture, makeArch string
	// goarch is the host on which no cross compiler is needed; triplet is the cross compiler's prefix elsewhere.
	goarch, triplet string
	// goal of make and the image it leaves, relative to the tree.
	goal, image string
	// expectedCalls is how many compiler and linker lines an earlier build printed; only progress depends on it.
	expectedCalls int
}

var kernelTargets = []kernelTarget{
	{
		architecture: "x86_64", makeArch: "x86_64", goarch: "amd64", triplet: "x86_64-linux-gnu",
		goal: "bzImage", image: "arch/x86/boot/bzImage", expectedCalls: 2900,
	},
	{
		architecture: "arm64", makeArch: "arm64", goarch: "arm64", triplet: "aarch64-linux-gnu",
		goal: "vmlinuz.efi", image: "arch/arm64/boot/vmlinuz.efi", // CONFIG_EFI_ZBOOT: Image, compressed, in an EFI program that unpacks it
	},
}

func kernelTargetFor(architecture string) (kernelTarget, error) {
	for _, target := range kernelTargets {
		if target.architecture == architecture {
			return target, nil
		}
	}
	return kernelTarget{}, fmt.Errorf("unknown architecture %q (known: x86_64, arm64)", architecture)
}

// crossPrefix is what CROSS_COMPILE must be on this host; empty for a native build.
func (t kernelTarget) crossPrefix() string {
	if runtime.GOARCH == t.goarch {
		return ""
	}
	return t.triplet + "-"
}

// KernelFragments names the files under kernel-configs/ that make the product's kernel, in the order of merging.
// The test in kernel-configs holds that each exists and that none is forgotten.
func KernelFragments(architecture string) []string {
	return []string{
		"base.config", "containers.config", "net.config", "drivers.config",
		architecture + ".config", "drivers-" + architecture + ".config",
		"hardening.config", "hardening-" + architecture + ".config",
	}
}
