package machine

import (
	_ "embed"
	"os"
	"slices"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/internal/vm"
)

// ConfigKey is the fw_cfg item from which the agent reads its document.
const ConfigKey = "opt/stele/config"

// DemoPort is where the demo container listens.
const DemoPort = 8080

// DemoDocument runs the baked demo image. `stele run` uses it where no document is given.
//
//go:embed demo.yaml
var DemoDocument []byte

// Options say how an image is booted. The zero value boots by firmware, with a network that ends at the host's loopback.
type Options struct {
	// SecureBoot, Variables: as in vm.Options.
	SecureBoot bool
	Variables  string
	// Document goes in by fw_cfg; nil: no such item.
	Document []byte
	// Direct starts the kernel without the boot loader, and without firmware where a machine knows itself without: an arm64 machine has its
	// ACPI and SMBIOS tables from it.
	Direct bool
	// Append is added to the kernel's command line. Only with Direct.
	Append string
	// Dir, MemoryMiB, CPUs, Reboot, Watchdog, SMBIOS, Allow, Detached: as in vm.Options.
	Dir       string
	MemoryMiB int
	CPUs      int
	Reboot    bool
	Watchdog  string
	SMBIOS    vm.SMBIOS
	Allow     []string
	Detached  bool
	// ExtraArgs: as in vm.Options.
	ExtraArgs []string
	// DiskSizeBytes grows the machine's disk.
	DiskSizeBytes int64
	// Bus of the boot disk: as in vm.Disk.
	Bus string
	// Disk is used instead of a copy of the image's disk.raw, and written to.
	Disk string
	// Disks come after the boot disk.
	Disks []vm.Disk
	// NIC is the model of the network card: as in vm.NIC.
	NIC string
	// NoNetwork takes the network card out.
	NoNetwork bool
	// Outside lets the guest reach what the host reaches.
	Outside bool
	// Net is the network's address range. Default: 10.0.2.0/24.
	Net string
	// IPv6Only, Hostname: as in vm.NIC. Nothing is forwarded to a machine without IPv4.
	IPv6Only bool
	Hostname string
	// Forwards are guest ports reachable on the host. Default: DemoPort.
	Forwards []vm.Forward
	// GuestForwards lead from the guest to services on the host's loopback.
	GuestForwards []vm.GuestForward
	// Cables are further network cards, each at the end of a cable: as in vm.NIC.
	Cables []string
}

// agentTrouble are the words with which Go and the agent say that something is broken.
var agentTrouble = []string{`\bpanic: `, `\bfatal error: `, `goroutine \d+ \[`, `WARNING: DATA RACE`}

// VM writes the machine's literal. Pure, but for the environment variable STELE_QEMU_ACCEL (kvm or tcg).
func (i Image) VM(o Options) vm.Options {
	boot := vm.Disk{Path: i.File("disk.raw"), Copy: true, SizeBytes: o.DiskSizeBytes, Bus: o.Bus}
	if o.Disk != "" {
		boot = vm.Disk{Path: o.Disk, Bus: o.Bus}
	}
	result := vm.Options{
		Name: "stele", Arch: i.Manifest.Architecture, Dir: o.Dir, MemoryMiB: o.MemoryMiB, CPUs: o.CPUs, Accel: os.Getenv("STELE_QEMU_ACCEL"),
		ProbeKernel: i.File("vmlinuz"), UEFI: !o.Direct || i.Arch() == definition.ARM64, Disks: append([]vm.Disk{boot}, o.Disks...),
		SecureBoot: o.SecureBoot, Variables: o.Variables,
		SMBIOS: o.SMBIOS, Reboot: o.Reboot, Watchdog: o.Watchdog, Detached: o.Detached, ExtraArgs: o.ExtraArgs,
		Deny: slices.Concat(vm.KernelTrouble, agentTrouble), Allow: o.Allow,
	}
	if o.Direct {
		result.Kernel, result.CommandLine = i.File("vmlinuz"), i.Manifest.CommandLine
		if o.Append != "" {
			result.CommandLine += " " + o.Append
		}
	}
	if o.Document != nil {
		result.FwCfg = map[string][]byte{ConfigKey: o.Document}
	}
	if !o.NoNetwork {
		result.NICs = []vm.NIC{o.nic()}
	}
	for _, path := range o.Cables {
		result.NICs = append(result.NICs, vm.NIC{Cable: path})
	}
	return result
}

func (o Options) nic() vm.NIC {
	nic := vm.NIC{
		Model: o.NIC,
		Net:   o.Net, IPv6Only: o.IPv6Only, Hostname: o.Hostname, Restrict: !o.Outside, Forwards: o.Forwards, GuestForwards: o.GuestForwards,
	}
	if nic.Forwards == nil && !o.IPv6Only {
		nic.Forwards = []vm.Forward{{Guest: DemoPort}}
	}
	return nic
}
