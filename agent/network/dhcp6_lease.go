package network

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
)

// Information refresh time (RFC 8415, section 21.23): default and least value.
const (
	refreshDefault = 24 * time.Hour
	refreshLeast   = 10 * time.Minute
)

// decodeLease6 takes from a server's REPLY what the machine uses. A stateless one has no address and lives for its refresh time.
func decodeLease6(m *dhcpv6.Message, stateless bool, now time.Time) (Lease, error) {
	l := Lease{Nameservers: addrs(m.Options.DNS()), Start: now, message: m}
	if labels := m.Options.DomainSearchList(); labels != nil {
		l.Search = domains(labels.Labels)
	}
	for _, s := range addrs(m.Options.NTPServers()) {
		l.NTPServers = append(l.NTPServers, s.String())
	}
	if stateless {
		refresh := max(m.Options.InformationRefreshTime(refreshDefault), refreshLeast)
		l.timers(refresh, 0, 2*refresh)
		return l, nil
	}
	if err := status6(m.Options.Status()); err != nil {
		return Lease{}, err
	}
	ia := m.Options.OneIANA()
	if ia == nil {
		return Lease{}, fmt.Errorf("DHCPv6 answer without addresses: %w", errRefused)
	}
	if err := status6(ia.Options.Status()); err != nil {
		return Lease{}, err
	}
	for _, o := range ia.Options.Addresses() {
		a, ok := addr(o.IPv6Addr)
		if !ok || !a.Is6() || a.IsLinkLocalUnicast() || a.IsLoopback() || o.ValidLifetime <= 0 {
			continue
		}
		l.Address = netip.PrefixFrom(a, 128) // the prefix comes from router advertisements (RFC 5942, section 4)
		t1, t2 := ia.T1, ia.T2
		if t1 <= 0 {
			t1 = o.PreferredLifetime / 2 // RFC 8415, section 21.4: left to the client
		}
		l.timers(t1, t2, o.ValidLifetime)
		return l, nil
	}
	return Lease{}, fmt.Errorf("DHCPv6 answer without usable addresses: %w", errRefused)
}

// status6: every status but success is a refusal (RFC 8415, section 21.13).
func status6(s *dhcpv6.OptStatusCode) error {
	if s == nil || s.StatusCode == iana.StatusSuccess {
		return nil
	}
	return fmt.Errorf("DHCPv6 status %s: %w", s.StatusCode, errRefused)
}
