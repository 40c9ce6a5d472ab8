package vm

// architecture is what differs between the machines QEMU can be.
type architecture struct {
	// binary of QEMU.
	binary string
	// hostArch is Go's word for a host on which KVM can run this guest.
	hostArch string
	// machine and its options.
	machine string
	// cpu under each accelerator.
	cpu map[string]string
	// firmware pairs (code, variables) in order of preference; the 4M builds are Debian 12's and later.
	firmware []firmware
}

type firmware struct{ code, vars string }

// architectures by the kernel's name (uname -m).
var architectures = map[string]architecture{
	"x86_64": {
		binary:   "qemu-system-x86_64",
		hostArch: "amd64",
		machine:  "q35",
		// TCG runs "rep movsb" byte by byte, so a kernel that trusts ERMS copies many times slower there than one that does not.
		cpu: map[string]string{"kvm": "host", "tcg": "max,erms=off,fsrm=off"},
		firmware: []firmware{
			{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},         // Debian, Ubuntu
			{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"}, // Arch
			{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},     // Fedora
			{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},               // older Debian
		},
	},
}
