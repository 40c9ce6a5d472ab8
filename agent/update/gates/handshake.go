package gates

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/spki"
)

// handshake connects to the machine's own API server and looks whether the key is the one that the server publishes. It has no certificate to show: in
// TLS 1.3 the client's half ends before the server has judged that (RFC 8446 §2), so a handshake that ends says that the server serves.
func handshake(ctx context.Context, api state.API) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(api.Port))
	dialer := tls.Dialer{Config: &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // the key is compared instead
		VerifyConnection:   func(s tls.ConnectionState) error { return sameKey(s, api.Fingerprint) },
	}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("cannot shake hands with %q: %w", address, err)
	}
	return conn.Close()
}

func sameKey(s tls.ConnectionState, fingerprint string) error {
	if got := spki.Fingerprint(s.PeerCertificates[0].RawSubjectPublicKeyInfo); got != fingerprint {
		return errors.New("another server answers: its key is " + got)
	}
	return nil
}
