//go:build qemu

package qemu

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scan"
)

// Addresses at both ends of the cable (RFC 5737, RFC 3849).
var (
	scanner  = scan.Ours{IPv4: netip.MustParseAddr("192.0.2.1"), IPv6: netip.MustParseAddr("2001:db8::1")}
	scanned4 = netip.MustParseAddr("192.0.2.2")
	scanned6 = netip.MustParseAddr("2001:db8::2")
)

// cabled is the part of a document for a machine that is scanned: a second card with fixed addresses, and as many ICMP errors as there are questions.
const cabled = `
network:
  interfaces:
    - {name: eth1, addresses: [192.0.2.2/24, "2001:db8::2/64"]}
sysctls: {net.ipv4.icmp_ratelimit: 0, net.ipv4.icmp_msgs_per_sec: 1000000, net.ipv4.icmp_msgs_burst: 1000000, net.ipv6.icmp.ratelimit: 0}
`

// Whoever looks from outside finds the API and what containers open, and nothing else; with the API off, nothing at all. Every port is asked.
func TestOpenPorts(t *testing.T) {
	t.Parallel()
	t.Run("API and container", func(t *testing.T) {
		t.Parallel()
		g, cable := bootCabled(t, lab(t).Document(faults.Gates{Probation: 3, Deadline: 60}, cabled+demoContainer), ports(machine.DemoPort, faults.APIPort))
		g.serving()
		g.expect(`^stele: .*api: port \d+, fingerprint`)
		open := []int{faults.APIPort, machine.DemoPort}
		for _, at := range []netip.Addr{scanned4, scanned6} {
			g.scan(cable, scan.TCP, at, open)
			g.scan(cable, scan.UDP, at, nil)
		}
		// The same from inside, where what is bound to one address of the machine shows, too: a container shares the machine's network.
		for file, want := range map[string][]int{"tcp": nil, "tcp6": open, "udp": nil, "udp6": nil, "udplite": nil, "udplite6": nil} {
			status, table := g.ask(machine.DemoPort, "/read", "path", "/proc/net/"+file)
			if got := listening(t, table); status == 200 && !slices.Equal(got, want) {
				t.Errorf("/proc/net/%s shows %v, want %v:\n%s", file, got, want, table)
			}
		}
	})
	t.Run("neither", func(t *testing.T) {
		t.Parallel()
		g, cable := bootCabled(t, document(cabled), nil)
		if r := g.report(); r.Machine != "running" {
			t.Errorf("report: %q", r.Lines)
		}
		g.scan(cable, scan.TCP, scanned4, nil)
		g.scan(cable, scan.UDP, scanned4, nil)
	})
}

// bootCabled boots a machine and takes the other end of its cable.
func bootCabled(t *testing.T, document []byte, forwards []vm.Forward) (*guest, *scan.Cable) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cable-") // a unix socket's path holds 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "cable"))
	if err != nil {
		t.Fatal(err)
	}
	g := boot(t, machine.Options{Direct: true, Document: document, Forwards: forwards, Cables: []string{listener.Addr().String()}})
	ctx, cancel := g.context()
	defer cancel()
	cable, err := scan.Attach(ctx, listener, scanner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cable.Close)
	return g, cable
}

// scan asks all ports at an address.
func (g *guest) scan(cable *scan.Cable, protocol scan.Protocol, at netip.Addr, want []int) {
	g.t.Helper()
	ctx, cancel := context.WithTimeoutCause(g.t.Context(), 2*expectTimeout, fmt.Errorf("not within %v", 2*expectTimeout))
	defer cancel()
	begun := time.Now()
	got, err := cable.Ports(ctx, protocol, scanned4, at)
	name := map[scan.Protocol]string{scan.TCP: "TCP", scan.UDP: "UDP"}[protocol]
	if err != nil || !slices.Equal(got, want) {
		g.t.Errorf("%s at %s: open are %v, %v, want %v", name, at, got, err, want)
	}
	g.t.Logf("%s at %s: 65535 ports asked in %.1f s", name, at, time.Since(begun).Seconds())
}

// listening are the local ports of a table such as /proc/net/tcp (kernel, Documentation/networking/proc_net_tcp.rst) that take what comes from anywhere but the machine
// itself: TCP in state LISTEN (0A), UDP without a peer.
func listening(t *testing.T, table string) (list []int) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		fields := strings.Fields(line)
		if i == 0 || len(fields) < 4 {
			continue
		}
		address, port, _ := strings.Cut(fields[1], ":")
		n, err := strconv.ParseUint(port, 16, 16)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		_, peer, _ := strings.Cut(fields[2], ":")
		if fields[3] == "0A" || fields[3] == "07" && peer == "0000" {
			if !loopback(t, address) {
				list = append(list, int(n))
			}
		}
	}
	slices.Sort(list)
	return list
}

// loopback reads an address as these tables write it: words of 32 bits in the order of the machine, which is little endian.
func loopback(t *testing.T, text string) bool {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b)%4 != 0 {
		t.Fatalf("address %q: %v", text, err)
	}
	for i := 0; i < len(b); i += 4 {
		binary.BigEndian.PutUint32(b[i:], binary.LittleEndian.Uint32(b[i:]))
	}
	a, ok := netip.AddrFromSlice(b)
	return ok && a.Unmap().IsLoopback()
}
