package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// apply carries out one operation. What is already so is no error.
func (k *netlinkKernel) apply(o operation) error {
	err := k.do(o)
	if err != nil {
		return fmt.Errorf("cannot apply %q: %w", o.String(), err)
	}
	return nil
}

func (k *netlinkKernel) do(o operation) error {
	l := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: o.link, Name: o.name}}
	switch o.verb {
	case setSysctl:
		return os.WriteFile(k.sysctlPath(o.name, o.sysctl), []byte(o.value+"\n"), 0o644)
	case setUp:
		return k.handle.LinkSetUp(l)
	case setMTU:
		return k.handle.LinkSetMTU(l, o.mtu)
	case addAddress:
		return k.handle.AddrReplace(l, &netlink.Addr{IPNet: ipNet(o.prefix)})
	case removeAddress:
		return unless(k.handle.AddrDel(l, &netlink.Addr{IPNet: ipNet(o.prefix)}), unix.EADDRNOTAVAIL)
	case addRoute:
		return k.handle.RouteAdd(netlinkRoute(o))
	case removeRoute:
		return unless(k.handle.RouteDel(netlinkRoute(o)), unix.ESRCH)
	}
	return fmt.Errorf("no such operation")
}

// unless drops an error that says that there is nothing left to do.
func unless(err error, harmless syscall.Errno) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

func netlinkRoute(o operation) *netlink.Route {
	r := &netlink.Route{
		LinkIndex: o.link,
		Dst:       ipNet(o.route.To.Masked()),
		Priority:  o.route.Metric,
		Table:     unix.RT_TABLE_MAIN,
		Protocol:  unix.RTPROT_STATIC,
		Scope:     netlink.SCOPE_UNIVERSE,
	}
	if o.route.leased {
		r.Protocol = unix.RTPROT_DHCP
	}
	if o.route.Via.IsValid() {
		r.Gw = o.route.Via.AsSlice()
	} else if o.route.To.Addr().Is4() {
		r.Scope = netlink.SCOPE_LINK
	}
	return r
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefixOf is ipNet's inverse: it keeps the host part.
func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(n.IP)
	ones, bits := n.Mask.Size()
	if !ok || bits == 0 {
		return netip.Prefix{}, false
	}
	p := netip.PrefixFrom(a.Unmap(), ones)
	return p, p.IsValid()
}

// attributes parses netlink attributes; what is malformed yields none.
func attributes(b []byte) []syscall.NetlinkRouteAttr {
	list, err := nl.ParseRouteAttr(b)
	if err != nil {
		return nil
	}
	return list
}
