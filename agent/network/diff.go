package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// diff returns the operations that bring a link from what is observed to what is wanted, in an order that the kernel accepts:
// switches before the link goes up (so that the first router solicitation is sent by the right rules), old routes and addresses
// away before new ones come, routes on the link before routes by a gateway.
func diff(l link, w wanted) []operation {
	var ops []operation
	add := func(o operation) {
		o.link, o.name = l.index, l.name
		ops = append(ops, o)
	}
	for _, s := range w.sysctls {
		if l.sysctls[s.Name] != s.Value {
			add(operation{verb: setSysctl, sysctl: s.Name, value: s.Value})
		}
	}
	if w.mtu != 0 && w.mtu != l.mtu {
		add(operation{verb: setMTU, mtu: w.mtu})
	}
	if !l.up {
		add(operation{verb: setUp})
	}
	diffRoutes(l, w, removeRoute, add)
	diffAddresses(l, w, add)
	if l.up { // the kernel refuses routes by way of a link that is down; the next pass adds them
		diffRoutes(l, w, addRoute, add)
	}
	return ops
}

func diffAddresses(l link, w wanted, add func(operation)) {
	for _, a := range l.addresses {
		if !a.foreign && !slices.Contains(w.addresses, a.prefix) {
			add(operation{verb: removeAddress, prefix: a.prefix})
		}
	}
	for _, p := range w.addresses {
		if !slices.ContainsFunc(l.addresses, func(a address) bool { return a.prefix == p }) {
			add(operation{verb: addAddress, prefix: p})
		}
	}
}

// diffRoutes adds the operations of one verb.
func diffRoutes(l link, w wanted, v verb, add func(operation)) {
	in := func(list []route, r route) bool {
		return slices.ContainsFunc(list, func(x route) bool { return x.key() == r.key() })
	}
	if v == removeRoute {
		for _, r := range slices.Backward(l.routes) {
			if !r.foreign && !in(w.routes, r) {
				add(operation{verb: v, route: r})
			}
		}
		return
	}
	missing := slices.DeleteFunc(slices.Clone(w.routes), func(r route) bool { return in(l.routes, r) })
	slices.SortStableFunc(missing, func(a, b route) int { return cmp.Compare(rank(a.Via), rank(b.Via)) })
	for i, r := range missing {
		if !in(missing[:i], r) {
			add(operation{verb: v, route: r})
		}
	}
}

// rank sorts routes on the link before routes by a gateway.
func rank(via netip.Addr) int {
	if via.IsValid() {
		return 1
	}
	return 0
}
