package network

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// status is what others see of the network.
func (r *reconciler) status(o observed, n plan.Network, problems []string) state.Network {
	s := state.Network{Links: linkStates(o), Online: online(o, n), Nameservers: r.nameservers(n)}
	for _, key := range r.keys() {
		l := r.leases[key]
		for _, server := range l.NTPServers {
			if !slices.Contains(s.NTPServers, server) {
				s.NTPServers = append(s.NTPServers, server)
			}
		}
		s.Hostname = cmp.Or(s.Hostname, l.Hostname)
	}
	s.Errors = append(problems, absent(o, n)...)
	for _, key := range sortedKeys(r.problems) {
		if bearable(o.byIndex(key.link), n, s.Online) {
			s.Warnings = append(s.Warnings, r.problems[key])
		} else {
			s.Errors = append(s.Errors, r.problems[key])
		}
	}
	return s
}

// bearable tells whether a link without a lease may stay so: the machine is online, and the link has a usable address of another kind or
// the document does not name it. A second card in a network without a DHCP server, and a network of IPv6 alone, are no failures.
func bearable(l *link, n plan.Network, online bool) bool {
	if !online || l == nil {
		return online
	}
	c := configOf(n, *l)
	named := c.Name != "" || c.MACAddress != ""
	return !named || hasGlobal(*l, true) || hasGlobal(*l, false)
}

// nameservers: the plan's replace those of leases (in the order of the links) and of router advertisements.
func (r *reconciler) nameservers(n plan.Network) []netip.Addr {
	if len(n.Nameservers) > 0 {
		return n.Nameservers
	}
	var out []netip.Addr
	add := func(list []netip.Addr) {
		for _, a := range list {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	for _, key := range r.keys() {
		add(r.leases[key].Nameservers)
	}
	for _, index := range slices.Sorted(maps.Keys(r.advertised)) {
		servers, _ := r.advertised[index].valid(r.now())
		add(servers)
	}
	return out
}

// search: the plan's domains replace those of leases.
func (r *reconciler) search(n plan.Network) []string {
	if len(n.SearchDomains) > 0 {
		return n.SearchDomains
	}
	var out []string
	for _, key := range r.keys() {
		for _, d := range r.leases[key].Search {
			if !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// keys of the leases, by link and then family.
func (r *reconciler) keys() []sessionKey { return sortedKeys(r.leases) }

func sortedKeys[V any](m map[sessionKey]V) []sessionKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b sessionKey) int {
		return cmp.Or(a.link-b.link, int(a.family-b.family))
	})
}

// untilNext is when the loop looks again by itself: when an advertised DNS server ends, at the latest after resync.
func (r *reconciler) untilNext() time.Duration {
	wait := resync
	for _, a := range r.advertised {
		if _, next := a.valid(r.now()); !next.IsZero() {
			wait = min(wait, next.Sub(r.now()))
		}
	}
	return max(wait, 0)
}
