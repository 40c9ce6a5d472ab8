package network

import (
	"net/netip"
	"slices"

	"github.com/stele-os/stele/agent/plan"
)

// leaseMetric is the metric of leased routes, plus the link's index, so that two links' default routes can stand beside each other
// and the first link wins. Routes of the plan (default metric 100) come before.
const leaseMetric = 1024

// minMTU: RFC 791 asks every link to carry 576 bytes of IPv4; smaller values from DHCP are mistakes that cut a machine off.
const minMTU = 576

// wanted is how one link should be.
type wanted struct {
	mtu       int // 0: as it is
	addresses []netip.Prefix
	routes    []route
	sysctls   []plan.Sysctl
}

// want computes how a link should be, from its configuration, its leases (nil: none) and the MTU its driver came up with.
func want(c plan.Link, l link, leases []Lease, driverMTU int) wanted {
	w := wanted{mtu: driverMTU, addresses: slices.Clone(c.Addresses), sysctls: wantIPv6(c, l)}
	for _, r := range c.Routes {
		w.routes = append(w.routes, route{Route: r})
	}
	for _, lease := range leases {
		if lease.MTU >= minMTU {
			w.mtu = lease.MTU
		}
		if lease.Address.IsValid() && !slices.Contains(w.addresses, lease.Address) {
			w.addresses = append(w.addresses, lease.Address)
		}
		for _, r := range lease.Routes {
			r.Metric = leaseMetric + l.index
			w.routes = append(w.routes, route{Route: r, leased: true})
		}
	}
	if c.MTUBytes != 0 {
		w.mtu = c.MTUBytes
	}
	w.routes = append(reachGateways(w), w.routes...)
	return w
}

// reachGateways returns host routes to those gateways that lie in no subnet of the link, as with /32 addresses of clouds; without
// them the kernel refuses the gateway. Link-local gateways are always on the link.
func reachGateways(w wanted) []route {
	var out []route
	for _, r := range w.routes {
		if !r.Via.IsValid() || r.Via.IsLinkLocalUnicast() || onLink(w, r.Via) {
			continue
		}
		host := route{leased: r.leased, Route: plan.Route{To: netip.PrefixFrom(r.Via, r.Via.BitLen()), Metric: r.Metric}}
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// onLink tells whether a is reached directly by what is wanted of the link.
func onLink(w wanted, a netip.Addr) bool {
	for _, p := range w.addresses {
		if p.Contains(a) && p.Addr() != a {
			return true
		}
	}
	for _, r := range w.routes {
		if !r.Via.IsValid() && r.To.Contains(a) {
			return true
		}
	}
	return false
}

// wantIPv6 are the kernel's switches (Documentation/networking/ip-sysctl.rst). accept_ra=2 because 1 ends as soon as
// forwarding is switched on, which container networks do. "off" keeps static IPv6 addresses working, without autoconfiguration.
func wantIPv6(c plan.Link, l link) []plan.Sysctl {
	if len(l.sysctls) == 0 {
		return nil
	}
	static := slices.ContainsFunc(c.Addresses, func(p netip.Prefix) bool { return p.Addr().Is6() })
	switch {
	case c.IPv6Auto:
		return []plan.Sysctl{{Name: "disable_ipv6", Value: "0"}, {Name: "accept_ra", Value: "2"}, {Name: "autoconf", Value: "1"}}
	case static:
		return []plan.Sysctl{{Name: "disable_ipv6", Value: "0"}, {Name: "accept_ra", Value: "0"}, {Name: "autoconf", Value: "0"}}
	}
	return []plan.Sysctl{{Name: "disable_ipv6", Value: "1"}}
}
