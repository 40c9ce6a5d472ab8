package server

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/netip"
	"time"
)

// caller is who a client is, by its certificate.
type caller struct {
	role                               role
	subject, serial, fingerprint, addr string
	notAfter                           time.Time
}

// origin is what limits count by: an IPv4 address, or the /64 that one IPv6 host usually has to itself.
func origin(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	address := tcp.AddrPort().Addr().Unmap()
	if address.Is4() {
		return address
	}
	prefix, err := address.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.Addr()
}

func identify(leaf *x509.Certificate, remote net.Addr) *caller {
	sum := sha256.Sum256(leaf.Raw)
	return &caller{
		role:        roleOf(leaf),
		subject:     clean(leaf.Subject.String()),
		serial:      leaf.SerialNumber.Text(16),
		fingerprint: hex.EncodeToString(sum[:]),
		addr:        remote.String(),
		notAfter:    leaf.NotAfter,
	}
}
