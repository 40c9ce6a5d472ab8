package vm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// architecture is what differs between the machines QEMU can be.
type architecture struct {
	// binary of QEMU, and the Debian packages that hold it and its firmware.
	binary, qemuPackage, firmwarePackage string
	// hostArch is Go's word for a host on which KVM can run this guest.
	hostArch string
	// machine and its options.
	machine string
	// sata are the arguments that give the machine SATA ports ide.0 to ide.5, noSATA what is added to the machine where no disk needs one.
	sata   []string
	noSATA string
	// cpu under each accelerator.
	cpu map[string]string
	// console is the first serial port, as Linux calls it.
	console string
	// uefi are further arguments of a machine with firmware.
	uefi []string
	// firmware pairs (code, variables) in order of preference; the 4M builds are Debian 12's and later.
	firmware []firmware
	// secureFirmware is the same for Secure Boot; secureArguments and secureMachine close its flash to all code but the firmware's own.
	secureFirmware  []firmware
	secureMachine   string
	secureArguments []string
}

type firmware struct{ code, vars string }

// architectures by the name of image definitions.
var architectures = map[string]architecture{
	"x86_64": {
		binary: "qemu-system-x86_64", qemuPackage: "qemu-system-x86", firmwarePackage: "ovmf",
		hostArch: "amd64",
		machine:  "q35",
		// Probing q35's six empty ports costs a guest a quarter of a second.
		noSATA: ",sata=off",
		// TCG runs "rep movsb" byte by byte, so a kernel that trusts ERMS copies many times slower there than one that does not.
		cpu:     map[string]string{"kvm": "host", "tcg": "max,erms=off,fsrm=off"},
		console: "ttyS0",
		firmware: []firmware{
			{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},         // Debian, Ubuntu
			{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"}, // Arch
			{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},     // Fedora
			{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},               // older Debian
		},
		secureFirmware: []firmware{
			{"/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
			{"/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
			{"/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
		},
		// OVMF's README, "SMM support": only code in system management mode writes the flash.
		secureMachine:   ",smm=on",
		secureArguments: []string{"-global", "driver=cfi.pflash01,property=secure,value=on"},
	},
	"arm64": {
		binary: "qemu-system-aarch64", qemuPackage: "qemu-system-arm", firmwarePackage: "qemu-efi-aarch64",
		hostArch: "arm64",
		// The newest interrupt controller that the accelerator has: GICv3 with TCG. ExtraArgs "-machine gic-version=2" gives the older one,
		// "-machine acpi=off" a machine that describes itself by device tree.
		machine: "virt,gic-version=max",
		sata:    []string{"-device", "ahci,id=ide"},
		cpu:     map[string]string{"kvm": "host", "tcg": "max"},
		console: "ttyAMA0",
		uefi:    []string{"-boot", "menu=on,splash-time=0"}, // without a word about it this firmware waits five seconds for a key
		firmware: []firmware{
			{"/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},                     // Debian 13
			{"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},                                // Debian 12, Ubuntu
			{"/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"}, // Fedora
			{"/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"},                    // Arch
		},
		// The machine has no secure world that would keep the flash from the guest's kernel: its variables are as safe as that kernel.
		secureFirmware: []firmware{
			{"/usr/share/AAVMF/AAVMF_CODE.secboot.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"}, // Debian 13
			{"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},         // Debian 12
		},
	},
}

// architectureFor finds an architecture by its name.
func architectureFor(name string) (architecture, error) {
	a, known := architectures[name]
	if !known {
		return a, fmt.Errorf("architecture %q is none of %s", name, strings.Join(slices.Sorted(maps.Keys(architectures)), ", "))
	}
	return a, nil
}
