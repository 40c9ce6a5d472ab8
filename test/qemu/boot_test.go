//go:build qemu

package qemu

import (
	"slices"
	"strings"
	"testing"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/test/qemu/machine"
)

func TestBootsThroughFirmware(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Document: machine.DemoDocument})
	g.serving()
	r := g.report()
	if r.Machine != "running" || r.Slot != "a" || r.RootHash != image.Manifest.RootHash || !strings.Contains(r.Platform, "fw_cfg") {
		t.Errorf("report: %q", r.Lines)
	}
	for _, stage := range machine.Stages {
		if r.Timing[stage] == 0 {
			t.Errorf("stage %q has no time", stage)
		}
	}
	if body := g.get(machine.DemoPort, "/"); !strings.Contains(body, "demo") {
		t.Errorf("the demo says %q", body)
	}
}

func TestBootsKernelDirectly(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Document: machine.DemoDocument, Direct: true})
	g.serving()
	if r := g.report(); r.Machine != "running" || r.RootHash != image.Manifest.RootHash {
		t.Errorf("report: %q", r.Lines)
	}
}

// A machine without a network card is complete where its document asks for no interface.
func TestBakedImageNeedsNoNetwork(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Document: machine.DemoDocument, Direct: true, NoNetwork: true})
	g.expect(`^stele: .*container demo: running ready`)
	r := g.report()
	if len(r.Failed) != 0 || r.Machine != "running" || !slices.Contains(r.Lines, "network: no Ethernet link") {
		t.Errorf("report: %q", r.Lines)
	}
}

// otherMachines are arguments of QEMU for machines that differ from the one of all other tests.
var otherMachines = map[definition.Arch]map[string][]string{
	definition.X8664: {"one processor": {"-smp", "1"}},
	definition.ARM64: {
		"GICv2 and an Arm v8.0 processor": {"-machine", "gic-version=2", "-cpu", "cortex-a72"}, // as a Raspberry Pi 4 has
		"device tree":                     {"-machine", "acpi=off"},
	},
}

func TestOtherMachines(t *testing.T) {
	t.Parallel()
	for name, arguments := range otherMachines[image.Arch()] {
		t.Run(name, func(t *testing.T) {
			g := boot(t, machine.Options{Document: machine.DemoDocument, Direct: true, ExtraArgs: arguments})
			g.serving()
			if r := g.report(); r.Machine != "running" {
				t.Errorf("report: %q", r.Lines)
			}
			g.powerOff()
		})
	}
}

// The disk sits on the other buses that servers have.
func TestBootsFromOtherBuses(t *testing.T) {
	t.Parallel()
	for _, bus := range []string{"nvme", "ahci"} {
		t.Run(bus, func(t *testing.T) {
			t.Parallel()
			g := boot(t, machine.Options{Document: machine.DemoDocument, Direct: true, NoNetwork: true, Bus: bus})
			g.expect(`^stele: .*container demo: running ready`)
		})
	}
}
