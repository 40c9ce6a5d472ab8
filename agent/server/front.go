package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// front is a net.Listener that yields connections whose TLS handshake has succeeded, so that net/http never sees any other, and a failed
// handshake has someone to record it.
type front struct {
	raw  net.Listener
	gate *gate
	// settings is replaced when the authorities change.
	settings atomic.Pointer[tls.Config]
	limits   Limits
	// refused is told of each connection that comes to nothing.
	refused func(remote string, chain []*x509.Certificate, err error)

	ready chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newFront(raw net.Listener, g *gate, l Limits, settings *tls.Config, refused func(string, []*x509.Certificate, error)) *front {
	f := &front{raw: raw, gate: g, limits: l, refused: refused, ready: make(chan net.Conn), done: make(chan struct{})}
	f.settings.Store(settings)
	return f
}

// tlsSettings: TLS 1.3 (RFC 8446) only, no session tickets, so that each connection proves itself against the authorities of its moment.
func tlsSettings(certificate func() (*tls.Certificate, error), authorities *x509.CertPool, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate() },
		ClientAuth:             tls.RequireAndVerifyClientCert,
		ClientCAs:              authorities,
		SessionTicketsDisabled: true,
		NextProtos:             []string{"h2", "http/1.1"},
		Time:                   now,
	}
}

// run accepts until Close, and returns when every handshake has ended.
func (f *front) run(ctx context.Context) {
	var handshakes sync.WaitGroup
	defer handshakes.Wait()
	defer f.Close()
	for {
		raw, err := f.raw.Accept()
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil { // such as too many open files: give the others time to close some
			f.refused("", nil, fmt.Errorf("cannot accept a connection: %w", err))
			select {
			case <-ctx.Done():
				return
			case <-f.done:
				return
			case <-time.After(time.Second):
			}
			continue
		}
		c := f.gate.begin(raw)
		if c == nil {
			f.refused(raw.RemoteAddr().String(), nil, fmt.Errorf("its address has %d connections already", f.limits.AddressConnections))
			continue
		}
		handshakes.Go(func() {
			if err := contained(func() error { f.shakeHands(ctx, c); return nil }); err != nil { // it reads what strangers send, and this is PID 1
				_ = c.Close()
				f.refused(raw.RemoteAddr().String(), nil, err)
			}
		})
	}
}

func (f *front) shakeHands(ctx context.Context, c *conn) {
	ctx, cancel := context.WithTimeout(ctx, f.limits.Handshake)
	defer cancel()
	t := tls.Server(c, f.settings.Load())
	err := t.HandshakeContext(ctx)
	chain := t.ConnectionState().PeerCertificates
	if err == nil {
		err = f.gate.admit(c, chain)
	}
	if err != nil {
		_ = c.Close()
		f.refused(c.RemoteAddr().String(), chain, err)
		return
	}
	select {
	case f.ready <- t:
	case <-f.done:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (f *front) Accept() (net.Conn, error) {
	select {
	case c := <-f.ready:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Connections that were accepted stay.
func (f *front) Close() error {
	f.once.Do(func() { close(f.done) })
	return f.raw.Close()
}

// Addr implements net.Listener.
func (f *front) Addr() net.Addr { return f.raw.Addr() }

// maxWordBytes bounds what a client's words take in a line of ours.
const maxWordBytes = 256

// clean makes a client's words harmless and short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxWordBytes {
		s = strings.ToValidUTF8(s[:maxWordBytes], "") + "..."
	}
	return s
}
