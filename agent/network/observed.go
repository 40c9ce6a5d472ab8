package network

import (
	"net/netip"
	"strings"

	"github.com/stele-os/stele/agent/plan"
)

// observed is the kernel's network as far as it matters here.
type observed struct {
	links []link // sorted by index
}

// link is one observed link: a managed one, or the loopback.
type link struct {
	index    int
	name     string
	mac      string
	loopback bool
	up       bool
	carrier  bool
	mtu      int
	// addresses and routes of the main table by way of this link.
	addresses []address
	routes    []route
	// managedFlag and otherFlag are M and O of the last router advertisement (RFC 4861, section 4.2).
	managedFlag bool
	otherFlag   bool
	// sysctls below net/ipv6/conf/NAME, by their last word; empty where the kernel has no IPv6.
	sysctls map[string]string
}

// address of a link.
type address struct {
	prefix netip.Prefix
	// foreign: made by the kernel (link-local, autoconfiguration).
	foreign bool
	// tentative: duplicate address detection is not over, or has failed.
	tentative bool
}

// route by way of a link.
type route struct {
	plan.Route
	// foreign: made by the kernel, a router advertisement or a stranger.
	foreign bool
	// leased routes get the protocol "dhcp", others "static".
	leased bool
}

// key identifies a route in the kernel's tables.
func (r route) key() plan.Route {
	k := r.Route
	k.To = k.To.Masked()
	if !k.To.Addr().Is4() && k.Metric == 0 {
		k.Metric = 1024 // IP6_RT_PRIO_USER: what the kernel makes of 0
	}
	return k
}

// isManaged tells whether a link is a physical Ethernet link, virtual machines' ones included: the link layer is Ethernet
// (ARPHRD_ETHER), no driver kind is reported (bridge, veth, vlan ... report one), and it is no port of a bridge or bond.
func isManaged(encapsulation, kind string, master int) bool {
	return encapsulation == "ether" && kind == "device" && master == 0
}

// configOf returns the plan's entry for a link: by name, or by hardware address in any case; else the default.
func configOf(n plan.Network, l link) plan.Link {
	for _, c := range n.Links {
		if c.Name != "" && c.Name == l.name || c.MACAddress != "" && strings.EqualFold(c.MACAddress, l.mac) {
			return c
		}
	}
	return n.Default
}
