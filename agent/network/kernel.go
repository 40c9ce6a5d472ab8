package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// kernel is where links live: the machine's, or a test's.
type kernel interface {
	observe() (observed, error)
	apply(operation) error
}

// netlinkKernel speaks rtnetlink(7).
type netlinkKernel struct {
	handle *netlink.Handle
	// procSys is /proc/sys.
	procSys string
	managed func(encapsulation, kind string, master int) bool
}

func newNetlinkKernel(procSys string, managed func(string, string, int) bool) (*netlinkKernel, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	return &netlinkKernel{handle: h, procSys: procSys, managed: managed}, nil
}

// Close ends the use of the kernel.
func (k *netlinkKernel) Close() { k.handle.Close() }

// dumpTries: a dump during which tables change is incomplete (NLM_F_DUMP_INTR), and is asked for again.
const dumpTries = 5

func (k *netlinkKernel) observe() (o observed, err error) {
	for range dumpTries {
		o, err = k.observeOnce()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return o, err
}

func (k *netlinkKernel) observeOnce() (observed, error) {
	all, err := k.handle.LinkList()
	if err != nil {
		return observed{}, fmt.Errorf("cannot list the links: %w", err)
	}
	var o observed
	for _, l := range all {
		a := l.Attrs()
		loopback := a.Flags&net.FlagLoopback != 0
		if !loopback && !k.managed(a.EncapType, l.Type(), a.MasterIndex) {
			continue
		}
		x := link{
			index: a.Index, name: a.Name, mac: a.HardwareAddr.String(), loopback: loopback, mtu: a.MTU,
			up: a.RawFlags&unix.IFF_UP != 0, carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
		}
		if !loopback {
			x.sysctls = k.sysctls(a.Name)
		}
		o.links = append(o.links, x)
	}
	slices.SortFunc(o.links, func(a, b link) int { return a.index - b.index })
	if err := k.observeAddresses(&o); err != nil {
		return observed{}, err
	}
	if err := k.observeRoutes(&o); err != nil {
		return observed{}, err
	}
	return o, k.observeAdvertisements(&o)
}

func (o *observed) byIndex(index int) *link {
	for i := range o.links {
		if o.links[i].index == index {
			return &o.links[i]
		}
	}
	return nil
}

func (k *netlinkKernel) observeAddresses(o *observed) error {
	list, err := k.handle.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("cannot list the addresses: %w", err)
	}
	for _, a := range list {
		l := o.byIndex(a.LinkIndex)
		p, ok := prefixOf(a.IPNet)
		if l == nil || !ok {
			continue
		}
		kernelMade := p.Addr().Is6() && (p.Addr().IsLinkLocalUnicast() || a.Flags&unix.IFA_F_PERMANENT == 0)
		l.addresses = append(l.addresses, address{
			prefix: p, foreign: l.loopback || kernelMade,
			tentative: a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0,
		})
	}
	return nil
}

func (k *netlinkKernel) observeRoutes(o *observed) error {
	list, err := k.handle.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("cannot list the routes: %w", err)
	}
	for _, r := range list {
		l := o.byIndex(r.LinkIndex)
		if l == nil || l.loopback {
			continue
		}
		x := route{leased: r.Protocol == unix.RTPROT_DHCP}
		x.foreign = !x.leased && r.Protocol != unix.RTPROT_STATIC
		x.Metric = r.Priority
		x.To = defaultPrefix(r.Family)
		if r.Dst != nil {
			x.To, _ = prefix(r.Dst)
		}
		x.Via, _ = addr(r.Gw)
		l.routes = append(l.routes, x)
	}
	return nil
}

func defaultPrefix(family int) netip.Prefix {
	if family == unix.AF_INET6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}
