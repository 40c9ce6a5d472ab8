//go:build qemu

package qemu

import (
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

func TestStaticNetwork(t *testing.T) {
	static := document(`
hostname: fixed
network:
  interfaces:
    - macAddress: "52:54:00:00:00:00"
      addresses: [10.0.2.77/24]
      routes: [{to: 0.0.0.0/0, via: 10.0.2.2}]
      mtu: 1400
  nameservers: [10.0.2.3]
containers:` + demo("demo", machine.DemoPort))
	g := boot(t, machine.Options{
		Direct: true, Document: static,
		Forwards: []vm.Forward{{Guest: machine.DemoPort, GuestAddress: "10.0.2.77"}},
	})
	g.serving()
	report := strings.Join(g.report().Lines, "\n")
	if !strings.Contains(report, "10.0.2.77/24") || strings.Contains(report, "10.0.2.15") || !strings.Contains(report, "hostname: fixed") {
		t.Errorf("report: %s", report)
	}
	if mtu := g.get(machine.DemoPort, "/read", "path", "/sys/class/net/eth0/mtu"); strings.TrimSpace(mtu) != "1400" {
		t.Errorf("mtu is %q", mtu)
	}
}
