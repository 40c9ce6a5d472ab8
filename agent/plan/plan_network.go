package plan

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
)

// defaultMetric of a static route.
const defaultMetric = 100

func planNetwork(doc v1alpha1.Network) (Network, error) {
	planned := Network{Default: Link{DHCP4: true, IPv6Auto: true}, SearchDomains: slices.Clone(doc.SearchDomains)}
	for _, server := range doc.Nameservers {
		addr, err := netip.ParseAddr(server)
		if err != nil {
			return Network{}, cannot("name server", server, err)
		}
		planned.Nameservers = append(planned.Nameservers, addr)
	}
	for _, iface := range doc.Interfaces {
		link, err := planLink(iface)
		if err != nil {
			return Network{}, cannot("interface", cmp.Or(iface.Name, iface.MACAddress), err)
		}
		planned.Links = append(planned.Links, link)
	}
	return planned, nil
}

func planLink(doc v1alpha1.Interface) (Link, error) {
	link := Link{
		Name:       doc.Name,
		MACAddress: strings.ToLower(doc.MACAddress),
		DHCP4:      true,
		IPv6Auto:   doc.IPv6 != "off",
		MTUBytes:   doc.MTU,
	}
	for _, text := range doc.Addresses {
		address, err := netip.ParsePrefix(text)
		if err != nil {
			return Link{}, err
		}
		link.Addresses = append(link.Addresses, address)
		link.DHCP4 = link.DHCP4 && !address.Addr().Is4()
	}
	if doc.DHCP4 != nil {
		link.DHCP4 = *doc.DHCP4
	}
	for _, route := range doc.Routes {
		planned, err := planRoute(route)
		if err != nil {
			return Link{}, err
		}
		link.Routes = append(link.Routes, planned)
	}
	return link, nil
}

func planRoute(doc v1alpha1.Route) (Route, error) {
	to, err := netip.ParsePrefix(doc.To)
	if err != nil {
		return Route{}, err
	}
	route := Route{To: to, Metric: cmp.Or(doc.Metric, defaultMetric)}
	if doc.Via != "" {
		route.Via, err = netip.ParseAddr(doc.Via)
	}
	return route, err
}
