package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/golden"
)

func TestArgumentsGolden(t *testing.T) {
	cases := []struct {
		name    string
		options Options
	}{
		{"direct", Options{Kernel: "vmlinuz", Initrd: "init.cpio", CommandLine: "console=ttyS0 quiet", Seed: 7}},
		{"uefi", Options{
			UEFI: true, Reboot: true, Watchdog: "reset", MemoryMiB: 512, CPUs: 1,
			Disks: []Disk{{Path: "disk.raw"}, {Path: "data,1.raw", Bus: "nvme"}, {Path: "old.raw", Bus: "ahci", ReadOnly: true}, {Path: "cidata.iso", Bus: "cdrom", Serial: "seed"}},
		}},
		{"arm64", Options{
			Arch: "arm64", UEFI: true, Reboot: true, Watchdog: "reset",
			Disks: []Disk{{Path: "disk.raw"}, {Path: "data.raw", Bus: "nvme"}},
		}},
		{"arm64-sata", Options{
			Arch: "arm64", UEFI: true, ExtraArgs: []string{"-machine", "gic-version=2,acpi=off"},
			Disks: []Disk{{Path: "disk.raw", Bus: "ahci"}, {Path: "cidata.iso", Bus: "cdrom"}},
		}},
		{"bare-metal", Options{
			Kernel: "vmlinuz", Disks: []Disk{{Path: "disk.raw", Bus: "megasas"}, {Path: "stick.raw", Bus: "usb"}}, NICs: []NIC{{Model: "igb"}},
		}},
		{"logged", Options{
			UEFI: true, NVRAM: NVRAMReadOnly,
			Disks: []Disk{{Path: "disk,1.raw", LogWrites: true}, {Path: "data.raw", Bus: "nvme", LogWrites: true}, {Path: "clone.raw"}},
		}},
		{"secure", Options{UEFI: true, SecureBoot: true, Disks: []Disk{{Path: "disk.raw"}}}},
		{"network", Options{
			Kernel: "vmlinuz",
			NICs: []NIC{
				{Restrict: true, Forwards: []Forward{{Guest: 80}, {Guest: 443, Host: 8443, GuestAddress: "10.0.2.77"}}},
				{Net: "169.254.169.0/24", MAC: "52:54:00:12:34:56", GuestForwards: []GuestForward{{"169.254.169.254:80", "127.0.0.1:4242"}}},
				{IPv6Only: true, Hostname: "leased"},
				{Cable: "/run/cable,1"},
			},
		}},
		{"identity", Options{
			Kernel: "vmlinuz", FwCfg: map[string][]byte{"opt/org.example/b": nil, "opt/org.example/a": nil},
			SMBIOS:    SMBIOS{BIOSVendor: "Example, Inc.", Manufacturer: "Example", Product: "Box", Serial: "ds=nocloud;s=http://10.0.2.2/", UUID: "ec2a0000-0000-4000-8000-000000000000"},
			ExtraArgs: []string{"-no-hpet"},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.options.Dir = "/dir"
			o, err := goldenDefaults(c.options)
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, "testdata/"+c.name+".golden", strings.Join(arguments(o, goldenResolved(o)), "\n")+"\n")
		})
	}
}

// goldenDefaults are withDefaults' without touching the directory.
func goldenDefaults(o Options) (Options, error) {
	dir := o.Dir
	o.Dir = os.TempDir()
	o, err := withDefaults(o)
	o.Dir = dir
	return o, err
}

func goldenResolved(o Options) resolved {
	r := resolved{
		accel: "tcg", firmware: firmware{"/fw/code.fd", "/dir/firmware-vars.fd"}, console: "/run/console", qmp: "/run/qmp", log: "/dir/console.log",
		logs: map[int]writeLog{}, ports: map[int]int{80: 40080, 443: 8443}, relay: []string{"/bin/it's, me", "vm-relay"}, fwCfg: map[string]string{},
	}
	for i, d := range o.Disks {
		r.disks = append(r.disks, "/disks/"+d.Path)
		if d.LogWrites {
			r.logs[i] = writeLog{"/dir/" + logName(i), i > 0}
		}
	}
	for name := range o.FwCfg {
		r.fwCfg[name] = "/dir/" + filepath.Base(name)
	}
	return r
}

func TestCommandLineCanBeTypedAgain(t *testing.T) {
	got := commandLine("/usr/bin/qemu", []string{"-append", "console=ttyS0 x='1'", "-smp", "2"})
	want := `/usr/bin/qemu -append 'console=ttyS0 x='\''1'\''' -smp 2`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
