// Package network brings the machine's Ethernet links to the state that the plan asks for.
//
//	kernel (netlink) --observe--> observed --+
//	plan.Network ----------------------------+--> want --> diff --> operations --apply--> kernel
//	sessions (DHCPv4, DHCPv6) --leases-------+
//	router advertisements (kernel) --RDNSS---+--> resolv.conf, hosts, state.Network
//
// One loop (Run) does all of it, each time anything changes: it observes, computes what is wanted, and applies the difference.
// Nothing is remembered that the kernel can be asked for, so it does not matter where a previous pass stopped. What to do is
// decided by pure functions (want, diff, session.next); netlink, sockets and files only carry it out.
//
// Invariants:
//   - Only physical Ethernet links are touched, and the loopback link is up; bridges, veth and the like belong to those who made
//     them (TestIsManaged).
//   - On a managed link every IPv4 address is ours, and of IPv6 addresses those that the kernel did not make; of routes those with
//     protocol static or dhcp (TestDiff).
//   - An address stays while its lease renews, and goes when the lease ends or is refused (TestSessionLife).
//   - When observed equals wanted, nothing is applied (TestReconcileIsIdempotent).
//
// IPv6 router advertisements are the kernel's (RFC 4861, 4862): it does that well, and address lifetimes stay right even if the agent
// hangs. DHCPv4 is RFC 2131, DHCPv6 RFC 8415. Two SHOULDs of RFC 2131 are left out for the sake of boot time: the random delay
// before the first DISCOVER, and probing the address by ARP. A daemon of its own (networkd, dhcpcd) would be one more
// executable and a second configuration to translate to.
package network

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// Run keeps the network as m.Desired says until ctx ends. It waits for the first plan, which boot publishes.
func Run(ctx context.Context, m *state.Machine) error {
	k, err := newNetlinkKernel("/proc/sys", isManaged)
	if err != nil {
		return err
	}
	defer k.Close()
	r := &reconciler{
		machine:    m,
		kernel:     k,
		exchange:   map[family]exchanger{v4: dhcp4{}, v6: dhcp6{}},
		directory:  "/run/stele",
		now:        time.Now,
		after:      time.After,
		leases:     map[sessionKey]Lease{},
		problems:   map[sessionKey]string{},
		sessions:   map[sessionKey]*running{},
		carriers:   map[int]bool{},
		driverMTU:  map[int]int{},
		advertised: map[int]advertised{},
		updates:    make(chan update),
	}
	events, err := subscribe(ctx)
	if err != nil {
		return err
	}
	return r.run(ctx, events)
}
