package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/stele-os/stele/agent/plan"
)

// decodeLease4 takes from a server's ACK what the machine uses, and refuses an ACK without a usable address or lease time.
func decodeLease4(ack *dhcpv4.DHCPv4, now time.Time) (Lease, error) {
	a, ok := addr(ack.YourIPAddr)
	if !ok || !a.Is4() || a.IsLoopback() {
		return Lease{}, fmt.Errorf("cannot use a DHCPv4 lease of address %q", ack.YourIPAddr)
	}
	expiry := ack.IPAddressLeaseTime(0)
	if expiry <= 0 {
		return Lease{}, errors.New("cannot use a DHCPv4 lease without lease time")
	}
	server, _ := addr(ack.ServerIdentifier())
	l := Lease{
		Address:     netip.PrefixFrom(a, maskBits(ack, a)),
		Server:      server,
		MTU:         mtu4(ack),
		Nameservers: addrs(ack.DNS()),
		Search:      search4(ack),
		Hostname:    domain(ack.HostName()),
		Start:       now,
		message:     ack,
	}
	for _, s := range addrs(ack.NTPServers()) {
		l.NTPServers = append(l.NTPServers, s.String())
	}
	l.Routes = routes4(ack)
	l.timers(ack.IPAddressRenewalTime(0), ack.IPAddressRebindingTime(0), expiry)
	return l, nil
}

// maskBits is the length of the subnet mask (option 1); without one, of the address's class (RFC 2131 says nothing better).
func maskBits(ack *dhcpv4.DHCPv4, a netip.Addr) int {
	mask := ack.SubnetMask()
	if ones, bits := mask.Size(); bits == 32 && ones > 0 {
		return ones
	}
	if ones, bits := net.IP(a.AsSlice()).DefaultMask().Size(); bits == 32 {
		return ones
	}
	return 32
}

// routes4: classless static routes (option 121) replace the routers of option 3 (RFC 3442, page 5). A gateway of 0.0.0.0 means
// that the destination is on the link.
func routes4(ack *dhcpv4.DHCPv4) []plan.Route {
	var out []plan.Route
	if classless := ack.ClasslessStaticRoute(); len(classless) > 0 {
		for _, r := range classless {
			to, ok := prefix(r.Dest)
			if !ok {
				continue
			}
			via, valid := addr(r.Router)
			if !valid {
				via = netip.Addr{}
			}
			out = append(out, plan.Route{To: to, Via: via})
		}
		return out
	}
	for _, router := range addrs(ack.Router()) {
		return []plan.Route{{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: router}}
	}
	return nil
}

// mtu4 is option 26, two bytes (RFC 2132, section 5.1).
func mtu4(ack *dhcpv4.DHCPv4) int {
	b := ack.Options.Get(dhcpv4.OptionInterfaceMTU)
	if len(b) != 2 {
		return 0
	}
	return int(b[0])<<8 | int(b[1])
}

// search4 is the domain search list (option 119), else the one domain name (option 15).
func search4(ack *dhcpv4.DHCPv4) []string {
	if labels := ack.DomainSearch(); labels != nil && len(labels.Labels) > 0 {
		return domains(labels.Labels)
	}
	return domains([]string{ack.DomainName()})
}

// addr turns an address from the wire into a usable one: neither absent, unspecified, multicast nor broadcast.
func addr(ip net.IP) (netip.Addr, bool) {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	if !ok || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, false
	}
	return a, true
}

func addrs(ips []net.IP) []netip.Addr {
	var out []netip.Addr
	for _, ip := range ips {
		if a, ok := addr(ip); ok {
			out = append(out, a)
		}
	}
	return out
}

func prefix(n *net.IPNet) (netip.Prefix, bool) {
	p, ok := prefixOf(n)
	return p.Masked(), ok
}
