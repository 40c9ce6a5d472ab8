package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/hint"
)

// Roles that a client certificate may carry, each including the ones before it.
var Roles = []string{"reader", "operator", "admin"}

// rolePrefix in the subject's organisation (api/node/v1).
const rolePrefix = "stele:"

// Client is what a client certificate says.
type Client struct {
	Name     string // common name: who calls, as it stands in audit logs
	Role     string // one of Roles
	Lifetime time.Duration
}

// Issue makes a key and a client certificate for it; both are PEM.
func (a *Authority) Issue(c Client, now time.Time) (certificatePEM, keyPEM []byte, err error) {
	if !slices.Contains(Roles, c.Role) {
		return nil, nil, hint.New(fmt.Errorf("cannot issue a certificate: there is no role %q", c.Role), "roles are "+strings.Join(Roles, ", "))
	}
	if err := a.covers(now, c.Lifetime); err != nil {
		return nil, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a key: %w", err)
	}
	template, err := newTemplate(now, c.Lifetime)
	if err != nil {
		return nil, nil, err
	}
	template.Subject = pkix.Name{CommonName: c.Name, Organization: []string{rolePrefix + c.Role}}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	certificate, err := sign(template, a.Certificate, key.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err = encodeKey(key)
	return encodeCertificate(certificate), keyPEM, err
}

// SignMachine signs a machine's certificate signing request (PEM, PKCS #10: RFC 2986) as a server certificate. The names are those of the
// request: whoever calls it has asked the machine itself, over a connection whose key was pinned.
func (a *Authority) SignMachine(requestPEM []byte, lifetime time.Duration, now time.Time) ([]byte, error) {
	block, _ := pem.Decode(requestPEM)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, fmt.Errorf("cannot sign: there is no PEM certificate request")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot sign: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("cannot sign: the request was not made by its key: %w", err)
	}
	if err := a.covers(now, lifetime); err != nil {
		return nil, err
	}
	template, err := newTemplate(now, lifetime)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{CommonName: request.Subject.CommonName}
	template.DNSNames, template.IPAddresses = request.DNSNames, request.IPAddresses
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	certificate, err := sign(template, a.Certificate, request.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return encodeCertificate(certificate), nil
}

// covers refuses lifetimes that the CA's own certificate does not last for.
func (a *Authority) covers(now time.Time, lifetime time.Duration) error {
	if lifetime <= 0 {
		return fmt.Errorf("cannot issue a certificate for %s: the lifetime must be positive", lifetime)
	}
	if end := now.Add(lifetime); end.After(a.Certificate.NotAfter) {
		return hint.New(fmt.Errorf("cannot issue a certificate until %s: the CA's own ends on %s", end.UTC().Format(time.DateTime),
			a.Certificate.NotAfter.UTC().Format(time.DateTime)), "use a shorter --ttl, or make a new CA with stele pki init")
	}
	return nil
}
