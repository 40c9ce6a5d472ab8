package network

import (
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/stele-os/stele/agent/plan"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ack is a minimal ACK with further options.
func ack(t testing.TB, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	base := []dhcpv4.Modifier{
		dhcpv4.WithYourIP(net.IPv4(192, 0, 2, 10)), dhcpv4.WithNetmask(net.CIDRMask(24, 32)), dhcpv4.WithLeaseTime(3600),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 0, 2, 1))), dhcpv4.WithMessageType(dhcpv4.MessageTypeAck),
	}
	m, err := dhcpv4.New(append(base, mods...)...)
	if err != nil {
		t.Fatal(err)
	}
	wire, err := dhcpv4.FromBytes(m.ToBytes())
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

func option(code uint8, value ...byte) dhcpv4.Modifier {
	return dhcpv4.WithGeneric(dhcpv4.GenericOptionCode(code), value)
}

func TestDecodeLease4(t *testing.T) {
	router := dhcpv4.WithRouter(net.IPv4(192, 0, 2, 1))
	plain := Lease{Address: pfx("192.0.2.10/24"), Server: ip("192.0.2.1"), Start: now,
		Renew: 30 * time.Minute, Rebind: 52*time.Minute + 30*time.Second, Expiry: time.Hour}
	for name, c := range map[string]struct {
		mods []dhcpv4.Modifier
		edit func(*Lease)
	}{
		"nothing more": {nil, func(*Lease) {}},
		"router": {[]dhcpv4.Modifier{router}, func(l *Lease) {
			l.Routes = []plan.Route{via("0.0.0.0/0", "192.0.2.1", 0)}
		}},
		"classless routes replace the router": {[]dhcpv4.Modifier{router, option(121,
			32, 10, 0, 0, 1, 0, 0, 0, 0, // 10.0.0.1/32 on the link
			0, 10, 0, 0, 1, // default by 10.0.0.1
			9, 10, 128, 192, 0, 2, 7)}, func(l *Lease) { // 10.128.0.0/9 by 192.0.2.7
			l.Routes = []plan.Route{via("10.0.0.1/32", "", 0), via("0.0.0.0/0", "10.0.0.1", 0), via("10.128.0.0/9", "192.0.2.7", 0)}
		}},
		"torn classless routes": {[]dhcpv4.Modifier{router, option(121, 33, 1, 2)}, func(l *Lease) {
			l.Routes = []plan.Route{via("0.0.0.0/0", "192.0.2.1", 0)}
		}},
		"names": {[]dhcpv4.Modifier{
			dhcpv4.WithDNS(net.IPv4(192, 0, 2, 53), net.IPv4zero, net.IPv4(192, 0, 2, 54)),
			dhcpv4.WithOption(dhcpv4.OptDomainName("example.com")), dhcpv4.WithOption(dhcpv4.OptHostName("web-1")),
			dhcpv4.WithOption(dhcpv4.OptNTPServers(net.IPv4(192, 0, 2, 123)))}, func(l *Lease) {
			l.Nameservers, l.Search = []netip.Addr{ip("192.0.2.53"), ip("192.0.2.54")}, []string{"example.com"}
			l.Hostname, l.NTPServers = "web-1", []string{"192.0.2.123"}
		}},
		"search list replaces the domain": {[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptDomainName("example.com")),
			dhcpv4.WithDomainSearchList("a.example.net", "b.example.net")}, func(l *Lease) {
			l.Search = []string{"a.example.net", "b.example.net"}
		}},
		"names that would break a file": {[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptDomainName("x\nnameserver 203.0.113.1")),
			dhcpv4.WithOption(dhcpv4.OptHostName("a b"))}, func(*Lease) {}},
		"MTU":      {[]dhcpv4.Modifier{option(26, 5, 120)}, func(l *Lease) { l.MTU = 1400 }},
		"torn MTU": {[]dhcpv4.Modifier{option(26, 5)}, func(*Lease) {}},
		"own timers": {[]dhcpv4.Modifier{option(58, 0, 0, 0, 60), option(59, 0, 0, 0, 120)}, func(l *Lease) {
			l.Renew, l.Rebind = time.Minute, 2*time.Minute
		}},
		"no mask": {[]dhcpv4.Modifier{dhcpv4.WithoutOption(dhcpv4.OptionSubnetMask)}, func(*Lease) {}},
	} {
		t.Run(name, func(t *testing.T) {
			want := plain
			c.edit(&want)
			got, err := decodeLease4(ack(t, c.mods...), now)
			got.message = nil
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
			}
		})
	}
}

func TestDecodeLease4Refuses(t *testing.T) {
	for name, m := range map[string]dhcpv4.Modifier{
		"no address":        dhcpv4.WithYourIP(net.IPv4zero),
		"broadcast address": dhcpv4.WithYourIP(net.IPv4bcast),
		"multicast address": dhcpv4.WithYourIP(net.IPv4(224, 0, 0, 1)),
		"loopback address":  dhcpv4.WithYourIP(net.IPv4(127, 0, 0, 1)),
		"no lease time":     dhcpv4.WithoutOption(dhcpv4.OptionIPAddressLeaseTime),
	} {
		if l, err := decodeLease4(ack(t, m), now); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

func reply6(t testing.TB, mods ...dhcpv6.Modifier) *dhcpv6.Message {
	t.Helper()
	m, err := dhcpv6.NewMessage(mods...)
	if err != nil {
		t.Fatal(err)
	}
	m.MessageType = dhcpv6.MessageTypeReply
	wire, err := dhcpv6.MessageFromBytes(m.ToBytes())
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

func address6(a string, preferred, valid time.Duration) dhcpv6.Modifier {
	return dhcpv6.WithIANA(dhcpv6.OptIAAddress{IPv6Addr: net.ParseIP(a), PreferredLifetime: preferred, ValidLifetime: valid})
}

func TestDecodeLease6(t *testing.T) {
	l, err := decodeLease6(reply6(t, address6("2001:db8::5", time.Hour, 2*time.Hour), dhcpv6.WithDNS(net.ParseIP("2001:db8::53")),
		dhcpv6.WithDomainSearchList("example.com")), false, now)
	if err != nil || l.Address != pfx("2001:db8::5/128") || l.Renew != 30*time.Minute || l.Expiry != 2*time.Hour {
		t.Errorf("lease %+v, %v", l, err)
	}
	if !slices.Equal(l.Nameservers, []netip.Addr{ip("2001:db8::53")}) || !slices.Equal(l.Search, []string{"example.com"}) {
		t.Errorf("names %v %v", l.Nameservers, l.Search)
	}
	l, err = decodeLease6(reply6(t, dhcpv6.WithDNS(net.ParseIP("2001:db8::53"))), true, now)
	if err != nil || l.Address.IsValid() || l.Renew != refreshDefault || len(l.Nameservers) != 1 {
		t.Errorf("stateless %+v, %v", l, err)
	}
	for name, m := range map[string]dhcpv6.Modifier{
		"no address":         func(dhcpv6.DHCPv6) {},
		"link-local":         address6("fe80::5", time.Hour, time.Hour),
		"dead already":       address6("2001:db8::5", 0, 0),
		"status no binding":  dhcpv6.WithOption(&dhcpv6.OptStatusCode{StatusCode: iana.StatusNoBinding}),
		"status of the IANA": dhcpv6.WithOption(&dhcpv6.OptIANA{Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{&dhcpv6.OptStatusCode{StatusCode: iana.StatusNoAddrsAvail}}}}),
	} {
		if l, err := decodeLease6(reply6(t, m), false, now); !errors.Is(err, errRefused) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}
