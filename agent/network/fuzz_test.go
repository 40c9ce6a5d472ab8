package network

import (
	"net"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"
)

// FuzzDecodeLease4: whatever a server sends, a lease that is taken has an address, ordered timers, and names that are safe in files.
func FuzzDecodeLease4(f *testing.F) {
	f.Add(ack(f).ToBytes())
	f.Add(ack(f, option(121, 0, 192, 0, 2, 1), option(26, 5, 120), dhcpv4.WithDNS(net.IPv4(192, 0, 2, 53)),
		dhcpv4.WithDomainSearchList("example.com"), option(58, 0, 0, 0, 1)).ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := dhcpv4.FromBytes(b)
		if err != nil {
			return
		}
		l, err := decodeLease4(m, now)
		if err != nil {
			return
		}
		checkLease(t, l)
		if !l.Address.IsValid() || !l.Address.Addr().Is4() {
			t.Fatalf("address %v", l.Address)
		}
	})
}

// FuzzDecodeLease6 is the same for DHCPv6.
func FuzzDecodeLease6(f *testing.F) {
	f.Add(reply6(f, address6("2001:db8::5", time.Hour, time.Hour)).ToBytes(), false)
	f.Add(reply6(f, dhcpv6.WithDNS(net.ParseIP("2001:db8::53")), dhcpv6.WithDomainSearchList("example.com")).ToBytes(), true)
	f.Fuzz(func(t *testing.T, b []byte, stateless bool) {
		m, err := dhcpv6.MessageFromBytes(b)
		if err != nil {
			return
		}
		l, err := decodeLease6(m, stateless, now)
		if err != nil {
			return
		}
		checkLease(t, l)
		if l.Address.IsValid() == stateless {
			t.Fatalf("address %v, stateless %v", l.Address, stateless)
		}
	})
}

func checkLease(t *testing.T, l Lease) {
	if !(0 < l.Renew && l.Renew <= l.Rebind && l.Rebind <= l.Expiry) {
		t.Fatalf("timers %s %s %s", l.Renew, l.Rebind, l.Expiry)
	}
	for _, n := range append(l.Search, l.Hostname) {
		if n != "" && domain(n) != n {
			t.Fatalf("name %q", n)
		}
	}
	for _, s := range l.Nameservers {
		if !s.IsValid() || s.IsUnspecified() {
			t.Fatalf("name server %v", s)
		}
	}
	for _, r := range l.Routes {
		if !r.To.IsValid() || r.To != r.To.Masked() {
			t.Fatalf("route %v", r)
		}
	}
}

// FuzzDecodeUserOption: options of router advertisements, from anyone on the link.
func FuzzDecodeUserOption(f *testing.F) {
	f.Add(userOption(2, rdnssOption(600, "2001:db8::53", "fe80::1")))
	f.Add(userOption(2, []byte{optionRDNSS, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, ok := decodeUserOption(b)
		if ok != (len(e.rdnss) > 0) {
			t.Fatalf("%+v, %v", e, ok)
		}
		a := advertised{}
		for _, o := range e.rdnss {
			a = a.with(o, "eth0", now)
		}
		if servers, _ := a.valid(now); len(servers) > maxAdvertised {
			t.Fatalf("%d servers", len(servers))
		}
	})
}
