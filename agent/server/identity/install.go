package identity

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/fault"
)

const (
	maxPEMBytes     = 64 << 10
	maxCertificates = 8
)

// Install puts a certificate, with the chain that follows it, in the place of the self-signed one. clockTrusted says whether a certificate
// that is not valid yet is an error: before the clock is set, it may well be the clock.
func (id *Identity) Install(content []byte, clockTrusted bool) (notAfter time.Time, err error) {
	chain, err := decodeChain(content)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "cannot install the certificate: %w", err)
	}
	id.mu.Lock()
	defer id.mu.Unlock()
	if err := id.check(chain, clockTrusted); err != nil {
		return time.Time{}, fault.New(fault.Invalid, "cannot install the certificate of %q: %w", chain[0].Subject, err)
	}
	if err := write(id.options.Dir, certificateFile, encodeChain(chain)); err != nil {
		return time.Time{}, fault.As(fault.Exhausted, err)
	}
	id.installed = id.pair(chain)
	return chain[0].NotAfter, nil
}

// readInstalled takes up what an earlier boot was given. What does not fit is left out, with a note.
func (id *Identity) readInstalled() (note string) {
	path := filepath.Join(id.options.Dir, certificateFile)
	content, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	var chain []*x509.Certificate
	if err == nil {
		chain, err = decodeChain(content)
	}
	if err == nil && !id.key.PublicKey.Equal(chain[0].PublicKey) {
		err = errNotForKey
	}
	if err != nil {
		return fmt.Sprintf("the installed certificate %q is not used: %v", path, err)
	}
	id.installed = id.pair(chain) // its dates are looked at when it is shown
	return ""
}

func (id *Identity) pair(chain []*x509.Certificate) *tls.Certificate {
	c := &tls.Certificate{PrivateKey: id.key, Leaf: chain[0]}
	for _, link := range chain {
		c.Certificate = append(c.Certificate, link.Raw)
	}
	return c
}

var errNotForKey = errors.New("it is for another key; have the machine's own request signed")

// check tells why a chain cannot serve as the machine's certificate (RFC 5280 §4.2.1, RFC 8446 §4.4.2).
func (id *Identity) check(chain []*x509.Certificate, clockTrusted bool) error {
	leaf, now := chain[0], id.options.Now()
	switch {
	case !id.key.PublicKey.Equal(leaf.PublicKey):
		return errNotForKey
	case !now.Before(leaf.NotAfter):
		return fmt.Errorf("it is over since %s", stamp(leaf.NotAfter))
	case clockTrusted && now.Before(leaf.NotBefore):
		return fmt.Errorf("it is not valid before %s", stamp(leaf.NotBefore))
	case leaf.IsCA:
		return errors.New("it is a CA's")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errors.New("its key usage lacks digital signature")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny):
		return errors.New("its extended key usage lacks server authentication")
	case len(leaf.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("it has the unknown critical extension %s", leaf.UnhandledCriticalExtensions[0])
	}
	for i, c := range chain[1:] {
		if !bytes.Equal(chain[i].RawIssuer, c.RawSubject) || chain[i].CheckSignatureFrom(c) != nil {
			return fmt.Errorf("certificate %d of the chain (%q) has not signed the one before it", i+2, c.Subject)
		}
	}
	return nil
}

// decodeChain reads PEM (RFC 7468) with certificates only, the leaf first.
func decodeChain(content []byte) ([]*x509.Certificate, error) {
	if len(content) > maxPEMBytes {
		return nil, fmt.Errorf("it is larger than %d bytes", maxPEMBytes)
	}
	var chain []*x509.Certificate
	for rest := content; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			if len(bytes.TrimSpace(rest)) > 0 {
				return nil, errors.New("there is something else than PEM in it")
			}
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("there is a %q in it; it should hold certificates only", block.Type)
		}
		if len(chain) == maxCertificates {
			return nil, fmt.Errorf("there are more than %d certificates in it", maxCertificates)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(chain)+1, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return chain, nil
}

func encodeChain(chain []*x509.Certificate) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}
