// Package node is the operator's side of the agent API: it opens the connection, says in words why one failed, and serves pushes.
//
// A machine is verified by the fingerprint of its key or by a CA, the caller by a client certificate; both before the first byte of a call.
package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/spki"
	"github.com/stele-os/stele/operator/contexts"
)

// Client calls one machine.
type Client struct {
	Name       string
	Machine    nodev1.MachineServiceClient
	Logs       nodev1.LogServiceClient
	Config     nodev1.ConfigServiceClient
	Containers nodev1.ContainerServiceClient
	Updates    nodev1.UpdateServiceClient
	Power      nodev1.PowerServiceClient
	Reset      nodev1.ResetServiceClient
	Identity   nodev1.IdentityServiceClient

	transport *http.Transport
}

const (
	dialTimeout = 10 * time.Second
	// headerTimeout is for the answer's beginning: machines answer at once, or have a reason in words.
	headerTimeout = 2 * time.Minute
)

// New prepares calls of a machine by an identity. It opens no connection.
func New(n contexts.Node, who contexts.Identity) (*Client, error) {
	verify, err := tlsFor(n)
	if err != nil {
		return nil, err
	}
	pair, err := keyPair(who)
	if err != nil {
		return nil, err
	}
	verify.Certificates = []tls.Certificate{pair}
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:       verify,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		ForceAttemptHTTP2:     true,
	}
	client, url := &http.Client{Transport: telling{transport, n.Address}}, "https://"+n.Address
	return &Client{
		Name:    n.Name,
		Machine: nodev1.NewMachineServiceClient(client, url), Logs: nodev1.NewLogServiceClient(client, url),
		Config: nodev1.NewConfigServiceClient(client, url), Containers: nodev1.NewContainerServiceClient(client, url),
		Updates: nodev1.NewUpdateServiceClient(client, url), Power: nodev1.NewPowerServiceClient(client, url),
		Reset: nodev1.NewResetServiceClient(client, url), Identity: nodev1.NewIdentityServiceClient(client, url),
		transport: transport,
	}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// MismatchError says that the machine that answered is not the one that was pinned.
type MismatchError struct{ Node, Pinned, Got string }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("node %q showed another key than the pinned one: %s instead of %s", e.Node, e.Got, e.Pinned)
}

// Hint returns the next step.
func (e *MismatchError) Hint() string {
	return "the machine was reset or replaced, or someone answers in its place: compare with its console, then stele node trust " + e.Node + " HOST:PORT --fingerprint ..."
}

func tlsFor(n contexts.Node) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: n.ServerName}
	if n.Fingerprint != "" {
		config.InsecureSkipVerify = true // what is verified instead is the key itself, below
		config.VerifyConnection = func(s tls.ConnectionState) error {
			if got := Fingerprint(s.PeerCertificates[0]); got != n.Fingerprint {
				return &MismatchError{n.Name, n.Fingerprint, got}
			}
			return nil
		}
		return config, nil
	}
	ca, err := os.ReadFile(n.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read CA of node %q: %w", n.Name, err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("cannot use CA of node %q: %q holds no PEM certificate", n.Name, n.CAFile)
	}
	return config, nil
}

func keyPair(who contexts.Identity) (tls.Certificate, error) {
	certificate, key := []byte(who.Certificate), []byte(who.Key)
	for file, into := range map[string]*[]byte{who.CertificateFile: &certificate, who.KeyFile: &key} {
		if file == "" {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("cannot read identity %q: %w", who.Name, err)
		}
		*into = data
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return pair, fmt.Errorf("cannot use identity %q: %w", who.Name, err)
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) {
		return pair, hint.New(fmt.Errorf("cannot use identity %q: its certificate ended on %s", who.Name, pair.Leaf.NotAfter.Local().Format(time.DateTime)),
			"issue a new one: stele pki issue --name "+who.Name)
	}
	return pair, nil
}

// Fingerprint of a certificate's key.
func Fingerprint(c *x509.Certificate) string {
	return spki.Fingerprint(c.RawSubjectPublicKeyInfo)
}

// Show asks a machine at HOST:PORT for its certificate and returns it unverified: it is for a person to compare.
func Show(address string) (*x509.Certificate, error) {
	var shown *x509.Certificate
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: dialTimeout}, "tcp", address, &tls.Config{
		MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // nothing is sent
		VerifyConnection: func(s tls.ConnectionState) error { shown = s.PeerCertificates[0]; return nil },
	})
	if err == nil {
		connection.Close()
	}
	if shown == nil {
		return nil, fmt.Errorf("cannot ask %s for its certificate: %w", address, errors.Join(err))
	}
	return shown, nil
}

// Ask makes one call.
func Ask[Q, A any](ctx context.Context, method func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), question *Q) (*A, error) {
	answer, err := method(ctx, connect.NewRequest(question))
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}
