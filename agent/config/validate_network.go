package config

import (
	"net"
	"net/netip"
	"strings"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

const (
	// minMTU4 and minMTU6 are the smallest that IPv4 (RFC 791 section 3.1) and IPv6 (RFC 8200 section 5) work with.
	minMTU4, minMTU6, maxMTU = 68, 1280, 65535
)

// linkName: at most IFNAMSIZ-1 characters (include/uapi/linux/if.h), none of them special (net/core/dev.c, dev_valid_name).
var linkName = pattern.New(`^[^/:\s]{1,15}$`)

func (c *checker) network(path string, doc v1alpha1.Network) {
	selectors, addresses := map[string]string{}, map[string]string{}
	for i, iface := range doc.Interfaces {
		c.link(strictyaml.Index(path+".interfaces", i), iface, selectors, addresses)
	}
	for i, server := range doc.Nameservers {
		if _, err := netip.ParseAddr(server); err != nil {
			c.problem(strictyaml.Index(path+".nameservers", i), "%q is not an address: name servers are given by address, such as \"192.0.2.53\"", server)
		}
	}
	for i, name := range doc.SearchDomains {
		c.domainName(strictyaml.Index(path+".searchDomains", i), name)
	}
}

func (c *checker) link(path string, doc v1alpha1.Interface, selectors, addresses map[string]string) {
	switch {
	case doc.Name != "" && doc.MACAddress != "":
		c.problem(path, "has both name and macAddress: keep one of them")
	case doc.Name == "" && doc.MACAddress == "":
		c.problem(path, "has neither name nor macAddress: say which link it configures")
	case doc.Name != "":
		if !linkName().MatchString(doc.Name) || doc.Name == "." || doc.Name == ".." {
			c.problem(path+".name", "%q is not the name of a link: it has 1 to 15 characters, without \"/\", \":\" and spaces", doc.Name)
		}
		c.unique(selectors, path+".name", "link", doc.Name)
	default:
		if mac, err := net.ParseMAC(doc.MACAddress); err != nil || len(mac) != 6 || !strings.Contains(doc.MACAddress, ":") {
			c.problem(path+".macAddress", "%q is not a hardware address such as \"52:54:00:12:34:56\"", doc.MACAddress)
		}
		c.unique(selectors, path+".macAddress", "hardware address", strings.ToLower(doc.MACAddress))
	}
	var on []netip.Prefix
	for i, text := range doc.Addresses {
		if address, ok := c.address(strictyaml.Index(path+".addresses", i), text, addresses); ok {
			on = append(on, address)
		}
	}
	c.mtu(path+".mtu", doc)
	for i, route := range doc.Routes {
		c.route(strictyaml.Index(path+".routes", i), route, doc, on)
	}
}

func (c *checker) mtu(path string, doc v1alpha1.Interface) {
	least := minMTU6
	if doc.IPv6 == "off" {
		least = minMTU4
	}
	if doc.MTU != 0 && (doc.MTU < least || doc.MTU > maxMTU) {
		c.problem(path, "%d is out of range: give one from %d to %d (below %d only with \"ipv6: off\")", doc.MTU, least, maxMTU, minMTU6)
	}
}

func (c *checker) address(path, text string, addresses map[string]string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		c.problem(path, "%q is not an address with its prefix length, such as \"192.0.2.10/24\"", text)
		return netip.Prefix{}, false
	}
	address := prefix.Addr()
	switch {
	case address.Is4In6():
		c.problem(path, "%q is an IPv4 address written as IPv6: write it as IPv4", text)
	case address.IsUnspecified() || address.IsMulticast() || address.IsLoopback():
		c.problem(path, "%q is not an address that a link can have", text)
	case address.Is4() && prefix.Bits() < 31 && prefix.Masked().Addr() == address:
		c.problem(path, "%q is the address of the network, not of a machine in it", text)
	default:
		c.unique(addresses, path, "address", address.String())
	}
	return prefix, true
}

// route checks that a route is well formed and its gateway in reach. on are the link's static addresses.
func (c *checker) route(path string, doc v1alpha1.Route, link v1alpha1.Interface, on []netip.Prefix) {
	if doc.Metric < 0 {
		c.problem(path+".metric", "%d is negative", doc.Metric)
	}
	to, err := netip.ParsePrefix(doc.To)
	if err != nil {
		c.problem(path+".to", "%q is not a destination with its prefix length, such as \"198.51.100.0/24\"; \"0.0.0.0/0\" and \"::/0\" are the default routes", doc.To)
		return
	}
	if to.Masked() != to {
		c.problem(path+".to", "%q has bits set behind its prefix: did you mean %q?", doc.To, to.Masked())
	}
	if doc.Via == "" {
		return
	}
	via, err := netip.ParseAddr(doc.Via)
	switch {
	case err != nil:
		c.problem(path+".via", "%q is not an address: a gateway is given without prefix length, such as \"192.0.2.1\"", doc.Via)
	case via.Is4() != to.Addr().Is4():
		c.problem(path+".via", "the gateway %q and the destination %q are not of the same family (IPv4, IPv6)", doc.Via, doc.To)
	case !reachable(via, link, on):
		c.problem(path+".via", "the gateway %q is in none of the link's networks: add an address of its network, or correct it", doc.Via)
	}
}

// reachable tells whether a gateway can be on the link. A link that learns addresses may learn the gateway's network.
func reachable(via netip.Addr, link v1alpha1.Interface, on []netip.Prefix) bool {
	hasIPv4 := false
	for _, prefix := range on {
		if prefix.Contains(via) {
			return true
		}
		hasIPv4 = hasIPv4 || prefix.Addr().Is4()
	}
	if via.Is6() {
		return via.IsLinkLocalUnicast() || link.IPv6 != "off"
	}
	if link.DHCP4 != nil {
		return *link.DHCP4
	}
	return !hasIPv4
}
