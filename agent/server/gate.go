package server

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// gate counts connections and keeps them within the limits. It is told of each before anything is read from it.
type gate struct {
	limits Limits
	now    func() time.Time

	mu          sync.Mutex
	handshaking []*conn // from the oldest on
	admitted    map[*conn]struct{}
	addresses   map[netip.Addr]int
	clients     map[string]int // by fingerprint
	authorities *x509.CertPool
}

func newGate(l Limits, now func() time.Time, authorities *x509.CertPool) *gate {
	return &gate{limits: l, now: now, admitted: map[*conn]struct{}{}, addresses: map[netip.Addr]int{}, clients: map[string]int{}, authorities: authorities}
}

// conn is one connection, from accept to close.
type conn struct {
	net.Conn
	gate    *gate
	address netip.Addr
	once    sync.Once
	// caller is set when the handshake has succeeded.
	caller *caller
	chain  []*x509.Certificate
	// distrusted: the CA of the client's certificate is no longer one of the document's.
	distrusted atomic.Bool
}

// begin takes a new connection into account. Where too many handshakes are going on, in all or of its address, it gives one up: the oldest of the
// address that has most, as an honest one takes a moment, and a flood is its own victim. It returns nil, having closed the connection, where its
// address has too many whose handshake is over.
func (g *gate) begin(raw net.Conn) *conn {
	c := &conn{Conn: raw, gate: g, address: origin(raw.RemoteAddr())}
	oldest, ok := g.queue(c)
	if oldest != nil {
		_ = oldest.Close()
	}
	if !ok {
		_ = raw.Close()
		return nil
	}
	return c
}

func (g *gate) queue(c *conn) (oldest *conn, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.addresses[c.address] >= g.limits.AddressConnections:
		if oldest = g.oldestOf(c.address); oldest == nil {
			return nil, false
		}
	case len(g.handshaking) >= g.limits.Handshakes:
		oldest = g.oldestOf(g.busiest(c.address))
	}
	g.addresses[c.address]++
	g.handshaking = append(g.handshaking, c)
	return oldest, true
}

// oldestOf is the handshake of an address that has gone on for longest, nil where it has none.
func (g *gate) oldestOf(address netip.Addr) *conn {
	at := slices.IndexFunc(g.handshaking, func(h *conn) bool { return h.address == address })
	if at < 0 {
		return nil
	}
	return g.handshaking[at]
}

// busiest is the address with most handshakes, the newcomer's counted; of several that with the oldest one.
func (g *gate) busiest(newcomer netip.Addr) netip.Addr {
	number := map[netip.Addr]int{newcomer: 1}
	for _, h := range g.handshaking {
		number[h.address]++
	}
	most := g.handshaking[0].address
	for _, h := range g.handshaking {
		if number[h.address] > number[most] {
			most = h.address
		}
	}
	return most
}

// admit takes note that the handshake has succeeded.
func (g *gate) admit(c *conn, chain []*x509.Certificate) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := identify(chain[0], c.RemoteAddr())
	switch {
	case !g.removeHandshake(c):
		return errors.New("it was given up for newer ones")
	case len(g.admitted) >= g.limits.Connections:
		g.forgetAddress(c.address)
		return fmt.Errorf("%d clients are connected already", g.limits.Connections)
	case g.clients[id.fingerprint] >= g.limits.ClientConnections:
		g.forgetAddress(c.address)
		return fmt.Errorf("the client has %d connections already", g.limits.ClientConnections)
	}
	c.caller, c.chain = id, chain
	c.distrusted.Store(!trusted(chain, g.authorities, g.now())) // they may have changed since the handshake began
	g.admitted[c] = struct{}{}
	g.clients[id.fingerprint]++
	return nil
}

// trust changes the authorities and returns the connections whose clients are no longer trusted.
func (g *gate) trust(authorities *x509.CertPool) []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.authorities = authorities
	var gone []*conn
	for c := range g.admitted {
		if !trusted(c.chain, authorities, g.now()) {
			c.distrusted.Store(true)
			gone = append(gone, c)
		}
	}
	return gone
}

func trusted(chain []*x509.Certificate, authorities *x509.CertPool, now time.Time) bool {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: authorities, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// Close ends the connection and its place in the accounts.
func (c *conn) Close() error {
	c.once.Do(func() { c.gate.forget(c) })
	return c.Conn.Close()
}

func (g *gate) forget(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.removeHandshake(c) {
		g.forgetAddress(c.address)
	}
	if _, ok := g.admitted[c]; ok {
		delete(g.admitted, c)
		g.forgetAddress(c.address)
		if g.clients[c.caller.fingerprint]--; g.clients[c.caller.fingerprint] == 0 {
			delete(g.clients, c.caller.fingerprint)
		}
	}
}

func (g *gate) forgetAddress(a netip.Addr) {
	if g.addresses[a]--; g.addresses[a] <= 0 {
		delete(g.addresses, a)
	}
}

func (g *gate) removeHandshake(c *conn) bool {
	at := slices.Index(g.handshaking, c)
	if at < 0 {
		return false
	}
	g.handshaking = slices.Delete(g.handshaking, at, at+1)
	return true
}
