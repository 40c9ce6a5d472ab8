package network

import (
	"net/netip"
	"time"

	"github.com/stele-os/stele/agent/plan"
)

// family is the protocol of a session.
type family int

const (
	v4 family = 4
	v6 family = 6
)

func (f family) String() string {
	if f == v6 {
		return "DHCPv6"
	}
	return "DHCPv4"
}

// Lease is what a DHCP server granted. It is a value; a renewal makes a new one.
type Lease struct {
	// Address is invalid where a DHCPv6 server gave only other configuration.
	Address     netip.Prefix
	Server      netip.Addr
	Routes      []plan.Route
	MTU         int
	Nameservers []netip.Addr
	Search      []string
	NTPServers  []string
	Hostname    string
	// Start is when the request was answered; the durations count from there (T1, T2 and the lease time of RFC 2131, 4.4.5).
	Start  time.Time
	Renew  time.Duration
	Rebind time.Duration
	Expiry time.Duration
	// message is the server's answer, which a renewal refers to.
	message any
}

// timers fills in what a server left out or got wrong: T1 is half of the lease time, T2 seven eighths (RFC 2131, section 4.4.5).
func (l *Lease) timers(renew, rebind, expiry time.Duration) {
	if rebind <= 0 || rebind >= expiry {
		rebind = expiry / 8 * 7 // in this order: a lease of a century times seven overflows
	}
	if renew <= 0 || renew >= rebind {
		renew = min(expiry/2, rebind)
	}
	l.Renew, l.Rebind, l.Expiry = renew, rebind, expiry
}
