package node

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// alertTimeout is how long a machine may take to say what it has against a client.
const alertTimeout = 2 * time.Second

// telling is a transport that finds out why a connection was broken off. In TLS 1.3 the client has finished its handshake before the machine has
// judged its certificate (RFC 8446 §2): a call that is written meanwhile may fail with "broken pipe" before the machine's alert is read.
type telling struct {
	*http.Transport
	address string
}

func (t telling) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.Transport.RoundTrip(r)
	if err == nil || r.Context().Err() != nil || !brokenOff(err) {
		return answer, err
	}
	if alert := t.alert(r.Context()); alert != nil {
		return nil, alert
	}
	return nil, err
}

func brokenOff(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || strings.Contains(err.Error(), "client conn could not be established")
}

// alert shakes hands once more, says nothing, and listens. A machine that takes the client answers with its HTTP/2 settings.
func (t telling) alert(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	config := t.TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	connection, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", t.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetReadDeadline(time.Now().Add(alertTimeout))
	var first [1]byte
	_, err = connection.Read(first[:])
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "remote error" { // crypto/tls: an alert
		return err
	}
	return nil
}
