//go:build qemu

package qemu

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

func TestStaticNetwork(t *testing.T) {
	t.Parallel()
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
	if resolver := g.get(machine.DemoPort, "/read", "path", "/etc/resolv.conf"); !strings.Contains(resolver, "nameserver 10.0.2.3\n") {
		t.Errorf("a container's resolv.conf is %q", resolver)
	}
}

// Where there is no IPv4, the machine is online by IPv6 alone: it fetches its document that way.
func TestIPv6Only(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: seed}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	url := fmt.Sprintf("http://[fec0::2]:%d/", listener.Addr().(*net.TCPAddr).Port)
	g := boot(t, machine.Options{Direct: true, IPv6Only: true, Outside: true, SMBIOS: vm.SMBIOS{Serial: "ds=nocloud;s=" + url}})
	g.expect(`^stele: .*container demo: running ready`)
	r := g.report()
	report := strings.Join(r.Lines, "\n")
	if r.Machine != "running" || !strings.Contains(report, " fec0:") || strings.Contains(report, " 10.0.2.") || !strings.Contains(r.Platform, url) {
		t.Errorf("report: %s", report)
	}
}
