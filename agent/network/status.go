package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// online: a link with carrier has a usable global address, or every static address of the plan is there. A default route is not asked
// for: on a network without a router, what there is can be reached. Routes of a lease are set before this is asked (converge), and those
// of a router advertisement come with its address. IPv6 is not waited for when IPv4 suffices.
func online(o observed, n plan.Network) bool {
	for _, l := range o.links {
		if l.loopback || !l.up || !l.carrier {
			continue
		}
		if hasGlobal(l, true) || hasGlobal(l, false) {
			return true
		}
	}
	return allStatic(o, n)
}

func usable(a address) bool {
	return !a.tentative && a.prefix.Addr().IsGlobalUnicast()
}

func hasGlobal(l link, is4 bool) bool {
	return slices.ContainsFunc(l.addresses, func(a address) bool { return usable(a) && a.prefix.Addr().Is4() == is4 })
}

func allStatic(o observed, n plan.Network) bool {
	count := 0
	for _, c := range n.Links {
		for _, p := range c.Addresses {
			count++
			if !slices.ContainsFunc(o.links, func(l link) bool { return carries(l, c, p) }) {
				return false
			}
		}
	}
	return count > 0
}

func carries(l link, c plan.Link, p netip.Prefix) bool {
	matches := configOf(plan.Network{Links: []plan.Link{c}}, l)
	return (matches.Name != "" || matches.MACAddress != "") && l.up && l.carrier &&
		slices.ContainsFunc(l.addresses, func(a address) bool { return a.prefix == p && !a.tentative })
}

// absent returns a complaint about each configured link that does not exist. A machine without any link is complete where its document
// asks for none: baked images need no network.
func absent(o observed, n plan.Network) []string {
	var out []string
	for _, c := range n.Links {
		found := slices.ContainsFunc(o.links, func(l link) bool {
			m := configOf(plan.Network{Links: []plan.Link{c}}, l)
			return m.Name != "" || m.MACAddress != ""
		})
		if !found {
			out = append(out, fmt.Sprintf("cannot configure link %q: the machine has no such Ethernet link", c.Name+c.MACAddress))
		}
	}
	return out
}

// linkStates are the managed links as others see them.
func linkStates(o observed) []state.Link {
	var out []state.Link
	for _, l := range o.links {
		if l.loopback {
			continue
		}
		s := state.Link{Name: l.name, MACAddress: l.mac, Up: l.up && l.carrier, MTUBytes: l.mtu}
		for _, a := range l.addresses {
			s.Addresses = append(s.Addresses, a.prefix)
		}
		out = append(out, s)
	}
	return out
}
