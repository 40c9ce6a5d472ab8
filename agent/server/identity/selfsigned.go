package identity

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"

	"github.com/stele-os/stele/internal/pattern"
)

// selfSignedLife: clients pin the key, so that this only bounds how old a parsed certificate may look.
const selfSignedLife = 365 * 24 * time.Hour

// renewSelf makes the self-signed certificate. The caller holds the lock, or is the only one.
func (id *Identity) renewSelf() error {
	now := id.options.Now()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("cannot make a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               id.subject(),
		NotBefore:             earlier(id.options.NotBefore, now),
		NotAfter:              now.Add(selfSignedLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	template.DNSNames, template.IPAddresses = names(id.hostname, id.addresses)
	der, err := x509.CreateCertificate(rand.Reader, template, template, id.key.Public(), id.key)
	if err != nil {
		return fmt.Errorf("cannot make a self-signed certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("cannot read the self-signed certificate: %w", err)
	}
	id.self = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: id.key, Leaf: leaf}
	return nil
}

// Request is a certificate signing request (PKCS #10, RFC 2986) for the machine's key and names, in PEM.
func (id *Identity) Request() ([]byte, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	template := &x509.CertificateRequest{Subject: id.subject()}
	template.DNSNames, template.IPAddresses = names(id.hostname, id.addresses)
	der, err := x509.CreateCertificateRequest(rand.Reader, template, id.key)
	if err != nil {
		return nil, fmt.Errorf("cannot make a certificate signing request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

func (id *Identity) subject() pkix.Name { return pkix.Name{CommonName: id.hostname} }

// dnsName is a host name that may stand in a certificate (RFC 1123 §2.1).
var dnsName = pattern.New(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

func names(hostname string, addresses []netip.Addr) (dns []string, ips []net.IP) {
	if dnsName().MatchString(hostname) {
		dns = append(dns, hostname)
	}
	for _, a := range addresses {
		ips = append(ips, a.AsSlice())
	}
	return dns, ips
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
