package vm

// Options describe one machine. The zero value of each field has a sensible meaning; a machine needs at least a disk or a kernel.
type Options struct {
	// Name appears in QEMU's process title and in errors. Default: "vm".
	Name string
	// Arch is "x86_64" (the default) or "arm64".
	Arch string
	// Dir holds what the machine leaves behind: console.log, qemu.log, copies of disks, firmware variables. A second machine started in the
	// same directory finds the disks and variables of the first. Default: a new temporary directory, which is not removed.
	Dir string
	// MemoryMiB of the guest. Default: 1024.
	MemoryMiB int
	// CPUs of the guest. Default: 2.
	CPUs int
	// Accel is "kvm" or "tcg". Default: KVM where ProbeKernel was seen to boot under it, else TCG.
	Accel string
	// ProbeKernel is a Linux kernel that proves KVM (Default: Kernel). Without one, TCG is used.
	ProbeKernel string

	// UEFI boots by firmware from the first disk; its variables are kept in Dir.
	UEFI bool
	// SecureBoot takes firmware that verifies what it starts once keys are enrolled, and that no code of the guest can go around. Its
	// variables are empty, which is setup mode, unless Variables says otherwise.
	SecureBoot bool
	// Variables is a flash image that the firmware's variables begin as, such as a copy of another machine's VM.VariablesPath. Default: empty ones.
	Variables string
	// NVRAM is the state of the firmware's variables: writable (the default), NVRAMFull or NVRAMReadOnly.
	NVRAM string
	// Kernel, Initrd and CommandLine boot a kernel directly.
	Kernel, Initrd, CommandLine string

	// Disks in order; the firmware boots the first one.
	Disks []Disk
	// NICs in order. None: the machine has no network.
	NICs []NIC
	// FwCfg are firmware configuration items by name, such as "opt/org.example/key".
	FwCfg map[string][]byte
	// SMBIOS is what the machine says about itself.
	SMBIOS SMBIOS
	// Seed makes QEMU's random numbers repeatable where it is not 0.
	Seed int
	// Watchdog adds an i6300esb watchdog; the word is QEMU's action when it fires: "reset", "poweroff", "none".
	Watchdog string
	// Reboot lets the machine reboot. Without it, a reboot ends the machine, so that nothing loops unseen.
	Reboot bool
	// ExtraArgs are handed to QEMU as they are, last.
	ExtraArgs []string

	// Deny fails the machine when a console line matches. Default: KernelTrouble.
	Deny []string
	// Allow takes lines that match out of Deny.
	Allow []string
	// Detached lets QEMU outlive this process.
	Detached bool
}

// Disk is one block device.
type Disk struct {
	// Path of a raw image.
	Path string
	// Bus is "virtio" (the default), "nvme", "ahci", "cdrom", or one that comes with the disk: "megasas", "pvscsi", "usb".
	Bus string
	// Serial of the device as the guest sees it.
	Serial string
	// Copy runs on a sparse copy in Options.Dir; a copy that lies there already is used again.
	Copy bool
	// SizeBytes grows the copy, as a larger disk would be. Only with Copy.
	SizeBytes int64
	// ReadOnly refuses writes.
	ReadOnly bool
	// LogWrites notes every write, discard and flush that reaches the disk, the firmware's and the loader's too, in VM.WriteLogPath, in the
	// format of internal/dmlog. A log that lies there from an earlier start goes on.
	LogWrites bool
}

// NIC is one network card on a user-mode network of its own, or on a cable.
type NIC struct {
	// Model is QEMU's name of the card, such as "e1000e", "igb" or "vmxnet3". Default: "virtio-net-pci".
	Model string
	// Cable is the path of a unix socket on which the caller listens, and at whose other end it is the network: all fields but MAC and Model are without meaning
	// then. Ethernet frames go both ways, each behind its length, 32 bits in network order (QEMU, -netdev stream).
	Cable string
	// Net is the network, such as "10.0.2.0/24" (the default). Its addresses .2 and .3 are the host and the name server, DHCP gives out .15.
	Net string
	// Restrict cuts the guest off from the host and from everything behind it; Forwards and GuestForwards go on working.
	Restrict bool
	// IPv6Only leaves IPv4 out. QEMU forwards no ports then; the host's [::1] is the guest's [fec0::2] where Restrict is unset.
	IPv6Only bool
	// Hostname is what the DHCP server calls the guest.
	Hostname string
	// MAC is the hardware address. Default: 52:54:00:00:00:<index>.
	MAC string
	// Forwards are guest ports reachable on the host's loopback.
	Forwards []Forward
	// GuestForwards are addresses inside Net that lead to the host's loopback.
	GuestForwards []GuestForward
}

// Forward makes a TCP port of the guest reachable at 127.0.0.1.
type Forward struct {
	// Guest is the port in the guest.
	Guest int
	// Host is the port on the host. 0: a free one, see VM.Address.
	Host int
	// GuestAddress of the guest, where it is not the one DHCP gives out.
	GuestAddress string
}

// GuestForward makes a TCP service on the host's loopback reachable for the guest.
type GuestForward struct {
	// Listen is "address:port" as the guest sees it, inside NIC.Net.
	Listen string
	// Target is "127.0.0.1:port" on the host.
	Target string
}

// SMBIOS is what the machine says about itself (SMBIOS types 0 and 1). Empty fields keep QEMU's own words.
type SMBIOS struct {
	BIOSVendor   string
	Manufacturer string
	Product      string
	Serial       string
	UUID         string
}
