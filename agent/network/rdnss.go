package network

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// optionRDNSS is the type of the recursive DNS server option (RFC 8106, section 5.1).
const optionRDNSS = 25

// rdnss is one recursive DNS server option.
type rdnss struct {
	servers  []netip.Addr
	lifetime time.Duration
}

// decodeRDNSS reads neighbour discovery options (RFC 4861, section 4.6: type, length in units of 8 bytes) and returns the DNS
// servers in them. Malformed options end the list.
func decodeRDNSS(b []byte) []rdnss {
	var out []rdnss
	for len(b) >= 8 {
		size := int(b[1]) * 8
		if size == 0 || size > len(b) {
			return out
		}
		// An RDNSS option has 8 bytes of head and 16 for each server.
		if b[0] == optionRDNSS && size >= 24 && (size-8)%16 == 0 {
			o := rdnss{lifetime: time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Second}
			for rest := b[8:size]; len(rest) >= 16; rest = rest[16:] {
				if a, ok := addr(rest[:16]); ok && a.Is6() {
					o.servers = append(o.servers, a)
				}
			}
			out = append(out, o)
		}
		b = b[size:]
	}
	return out
}

// advertised are the DNS servers that routers told on one link, with the moment until which each may be used.
type advertised map[netip.Addr]time.Time

// with returns a copy in which an option has been taken up. A lifetime of 0 takes the server away.
func (a advertised) with(o rdnss, link string, now time.Time) advertised {
	next := advertised{}
	for s, until := range a {
		next[s] = until
	}
	for _, s := range o.servers {
		if s.IsLinkLocalUnicast() {
			s = s.WithZone(link)
		}
		delete(next, s)
		if o.lifetime > 0 && len(next) < maxAdvertised {
			next[s] = now.Add(o.lifetime)
		}
	}
	return next
}

// maxAdvertised bounds what strangers on the link can make us remember.
const maxAdvertised = 8

// valid returns the servers that may be used now, sorted, and when the first of them ends (zero: never).
func (a advertised) valid(now time.Time) (servers []netip.Addr, next time.Time) {
	for s, until := range a {
		if !now.Before(until) {
			continue
		}
		servers = append(servers, s)
		if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	sortAddrs(servers)
	return servers, next
}
