//go:build qemu

package qemu

import (
	"testing"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

// The same image boots from the disks and serves by the network cards of machines that are not QEMU's own: a RAID controller and a server's card,
// VMware's pair. Which other drivers are there, only their option says: QEMU has no such devices.
func TestDriversOfOtherMachines(t *testing.T) {
	t.Parallel()
	machines := []struct{ name, disk, nic string }{{"server", "megasas", "igb"}, {"desktop", "ahci", "e1000e"}}
	if image.Manifest.Architecture == "x86_64" { // VMware's disks have no driver elsewhere
		machines = append(machines, struct{ name, disk, nic string }{"vmware", "pvscsi", "vmxnet3"})
	}
	for _, c := range machines {
		t.Run(c.name, func(t *testing.T) {
			g := boot(t, machine.Options{Direct: true, Bus: c.disk, NIC: c.nic, Document: machine.DemoDocument})
			g.serving()
			g.expect(`^stele: storage: /var on /dev/sda`)
		})
	}
}

// A stick with a configuration volume: the document comes from it, though USB shows a disk a second after its driver found it.
func TestNoCloudUSB(t *testing.T) {
	t.Parallel()
	volume := vm.Disk{Path: fatVolume(t, "cidata"), ReadOnly: true, Bus: "usb"}
	expectDocument(t, machine.Options{Disks: []vm.Disk{volume}}, `^nocloud .*vfat`)
}

// The power key of a USB keyboard ends the machine in order, as its power button does: the one thing that a keyboard is for.
func TestPowerKeyOfAKeyboard(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{
		Direct: true, Document: machine.DemoDocument, ExtraArgs: []string{"-device", "qemu-xhci", "-device", "usb-kbd"},
	})
	g.serving()
	ctx, cancel := g.context()
	defer cancel()
	key := map[string]any{"keys": []map[string]any{{"type": "qcode", "data": "power"}}}
	if err := g.QMP.Execute(ctx, "send-key", key, nil); err != nil {
		t.Fatal(err)
	}
	g.expect(`^stele: .*power button`)
	if err := g.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}
