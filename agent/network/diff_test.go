package network

import (
	"slices"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/plan"
)

func TestIsManaged(t *testing.T) {
	for name, c := range map[string]struct {
		encapsulation, kind string
		master              int
		want                bool
	}{
		"virtio or hardware": {"ether", "device", 0, true},
		"veth":               {"ether", "veth", 0, false},
		"bridge":             {"ether", "bridge", 0, false},
		"port of a bridge":   {"ether", "device", 7, false},
		"dummy":              {"ether", "dummy", 0, false},
		"tunnel":             {"sit", "sit", 0, false},
		"infiniband":         {"infiniband", "device", 0, false},
	} {
		if got := isManaged(c.encapsulation, c.kind, c.master); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// up is an Ethernet link that is up, with IPv6 as wanted by default, and addresses.
func up(addresses ...address) link {
	l := ethernet(2, "eth0", "52:54:00:12:34:56")
	l.up, l.carrier, l.addresses = true, true, addresses
	l.sysctls["accept_ra"] = "2"
	return l
}

func (l link) withRoutes(routes ...route) link { l.routes = routes; return l }
func (l link) withMTU(mtu int) link            { l.mtu = mtu; return l }

var (
	auto  = plan.Link{DHCP4: true, IPv6Auto: true}
	lease = Lease{Address: pfx("10.0.2.15/24"), Routes: []plan.Route{via("0.0.0.0/0", "10.0.2.2", 0)}}
)

func TestDiff(t *testing.T) {
	leasedRoute := route{Route: via("0.0.0.0/0", "10.0.2.2", 1026), leased: true}
	for name, c := range map[string]struct {
		link   link
		config plan.Link
		leases []Lease
		want   string // operations, one a line
	}{
		"fresh link": {ethernet(2, "eth0", ""), auto, nil, `
			set sysctl accept_ra=2
			set up`},
		"kernel without IPv6": {link{index: 2, name: "eth0", mtu: 1500}, auto, nil, `
			set up`},
		"IPv6 off": {up(), plan.Link{}, nil, `
			set sysctl disable_ipv6=1`},
		"IPv6 off, but a static address of it": {up(), plan.Link{Addresses: prefixes("2001:db8::5/64")}, nil, `
			set sysctl accept_ra=0
			set sysctl autoconf=0
			add address 2001:db8::5/64`},
		"lease": {up(), auto, []Lease{lease}, `
			add address 10.0.2.15/24
			add route 0.0.0.0/0 via 10.0.2.2 metric 1026`},
		"lease in place": {up(address{prefix: pfx("10.0.2.15/24")}).withRoutes(leasedRoute), auto, []Lease{lease}, ``},
		"lease gone": {up(address{prefix: pfx("10.0.2.15/24")}).withRoutes(leasedRoute), auto, nil, `
			remove route 0.0.0.0/0 via 10.0.2.2 metric 1026
			remove address 10.0.2.15/24`},
		"another address": {up(address{prefix: pfx("10.0.2.99/24")}).withRoutes(leasedRoute), auto, []Lease{lease}, `
			remove address 10.0.2.99/24
			add address 10.0.2.15/24`},
		"routes wait for the link": {ethernet(2, "eth0", ""), plan.Link{IPv6Auto: true, Addresses: prefixes("192.0.2.10/24"),
			Routes: []plan.Route{via("0.0.0.0/0", "192.0.2.1", 100)}}, nil, `
			set sysctl accept_ra=2
			set up
			add address 192.0.2.10/24`},
		"gateway outside of every subnet": {up(), plan.Link{IPv6Auto: true, Addresses: prefixes("192.0.2.10/32"),
			Routes: []plan.Route{via("0.0.0.0/0", "198.51.100.1", 100)}}, nil, `
			add address 192.0.2.10/32
			add route 198.51.100.1/32 metric 100
			add route 0.0.0.0/0 via 198.51.100.1 metric 100`},
		"link-local gateway": {up(), plan.Link{IPv6Auto: true, Addresses: prefixes("2001:db8::5/128"),
			Routes: []plan.Route{via("::/0", "fe80::1", 100)}}, nil, `
			add address 2001:db8::5/128
			add route ::/0 via fe80::1 metric 100`},
		"routes on the link come first": {up(), auto, []Lease{{Address: pfx("10.1.2.3/32"), Routes: []plan.Route{
			via("0.0.0.0/0", "10.0.0.1", 0), via("10.0.0.1/32", "", 0)}}}, `
			add address 10.1.2.3/32
			add route 10.0.0.1/32 metric 1026
			add route 0.0.0.0/0 via 10.0.0.1 metric 1026`},
		"MTU of the lease":               {up(), auto, []Lease{{MTU: 1400}}, `set mtu 1400`},
		"MTU of the plan wins":           {up(), plan.Link{IPv6Auto: true, MTUBytes: 9000}, []Lease{{MTU: 1400}}, `set mtu 9000`},
		"MTU goes back to the driver's":  {up().withMTU(1400), auto, nil, `set mtu 1500`},
		"absurd MTU of a lease":          {up(), auto, []Lease{{MTU: 68}}, ``},
		"kernel's addresses and routes":  {kernelMade(), auto, nil, ``},
		"strangers' IPv4 address is not": {up(address{prefix: pfx("203.0.113.9/24")}), auto, nil, `remove address 203.0.113.9/24`},
		"IPv6 metric 0 is 1024": {up(address{prefix: pfx("2001:db8::5/64")}).withRoutes(route{Route: via("::/0", "2001:db8::1", 1024)}),
			plan.Link{IPv6Auto: true, Addresses: prefixes("2001:db8::5/64"), Routes: []plan.Route{via("::/0", "2001:db8::1", 0)}}, nil, ``},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range diff(c.link, want(c.config, c.link, c.leases, 1500)) {
				got = append(got, strings.TrimPrefix(o.String(), "eth0: "))
			}
			if want := lines(c.want); !slices.Equal(got, want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}

// kernelMade is a link with what the kernel made of a router advertisement.
func kernelMade() link {
	return up(address{prefix: pfx("fe80::1/64"), foreign: true}, address{prefix: pfx("2001:db8::1/64"), foreign: true}).
		withRoutes(route{Route: via("::/0", "fe80::2", 1024), foreign: true}, route{Route: via("fe80::/64", "", 256), foreign: true})
}

func lines(s string) []string {
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func TestConfigOf(t *testing.T) {
	n := plan.Network{Default: auto, Links: []plan.Link{
		{Name: "eth1", MTUBytes: 1}, {MACAddress: "52:54:00:AB:cd:ef", MTUBytes: 2},
	}}
	for name, c := range map[string]struct {
		link link
		want int
	}{
		"by name":    {ethernet(3, "eth1", "52:54:00:00:00:01"), 1},
		"by address": {ethernet(4, "eth2", "52:54:00:ab:cd:ef"), 2},
		"neither":    {ethernet(2, "eth0", "52:54:00:00:00:02"), 0},
	} {
		if got := configOf(n, c.link).MTUBytes; got != c.want {
			t.Errorf("%s: entry %d, want %d", name, got, c.want)
		}
	}
}
