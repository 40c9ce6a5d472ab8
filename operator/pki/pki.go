// Package pki is the operator's small certificate authority: it makes the CA whose certificate stands in documents (spec.api.clientCAs) and
// the short-lived client certificates that carry a role.
//
// Format: PEM files ca.crt (public) and ca.key (PKCS #8, mode 0600) in one directory. Keys are ECDSA P-256; certificates X.509 v3 (RFC 5280).
// The role is the subject's organisation, "stele:reader", "stele:operator" or "stele:admin" (api/node/v1). It signs machines' certificates,
// too, whose keys it never sees.
//
// It is no full PKI: there is no revocation, because client certificates live for hours. Whoever has one already uses it instead:
// a machine asks for nothing but the organisation and the client authentication key usage.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/hint"
)

// Names of the files in a CA's directory.
const (
	CertificateFile = "ca.crt"
	KeyFile         = "ca.key"
)

// backdate allows for clocks that are behind the CA's.
const backdate = 5 * time.Minute

// Authority is a CA with its key.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
}

// Init makes a CA in dir, which must not hold one already.
func Init(dir, name string, lifetime time.Duration, now time.Time) (*Authority, error) {
	for _, file := range []string{CertificateFile, KeyFile} {
		if _, err := os.Lstat(filepath.Join(dir, file)); !errors.Is(err, fs.ErrNotExist) {
			return nil, hint.New(fmt.Errorf("cannot make a CA: %q is there already", filepath.Join(dir, file)),
				"choose another directory with --dir; a CA is never overwritten")
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make a key: %w", err)
	}
	template, err := newTemplate(now, lifetime)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{CommonName: name}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.MaxPathLenZero = true // it signs no other CA
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	certificate, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make a CA: %w", err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	// The key first: a certificate without its key would be trusted for nothing.
	if err := writeNew(filepath.Join(dir, KeyFile), keyPEM, 0o600); err != nil {
		return nil, err
	}
	if err := writeNew(filepath.Join(dir, CertificateFile), encodeCertificate(certificate), 0o644); err != nil {
		return nil, err
	}
	return &Authority{certificate, key}, nil
}

// Load reads the CA in dir.
func Load(dir string) (*Authority, error) {
	pair := [2][]byte{}
	for i, file := range []string{CertificateFile, KeyFile} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, hint.New(fmt.Errorf("cannot read CA: %w", err), "make one with: stele pki init --dir "+dir)
		}
		pair[i] = data
	}
	certificate, err := decodeCertificate(pair[0])
	if err != nil {
		return nil, fmt.Errorf("cannot read CA %q: %w", filepath.Join(dir, CertificateFile), err)
	}
	key, err := decodeKey(pair[1])
	if err != nil {
		return nil, fmt.Errorf("cannot read CA %q: %w", filepath.Join(dir, KeyFile), err)
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(certificate.PublicKey) {
		return nil, fmt.Errorf("cannot use CA in %q: %s and %s do not belong together", dir, CertificateFile, KeyFile)
	}
	if !certificate.IsCA {
		return nil, fmt.Errorf("cannot use CA in %q: its certificate is none of a CA", dir)
	}
	return &Authority{certificate, key}, nil
}

func newTemplate(now time.Time, lifetime time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280 §4.1.2.2: positive, at most 20 bytes
	if err != nil {
		return nil, fmt.Errorf("cannot make a serial number: %w", err)
	}
	return &x509.Certificate{SerialNumber: serial, NotBefore: now.Add(-backdate), NotAfter: now.Add(lifetime)}, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func writeNew(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}

func encodeCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("cannot encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func decodeCertificate(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("it holds no PEM certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func decodeKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("it holds no PEM private key (PKCS #8)")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("its key cannot sign")
	}
	return signer, nil
}

// Replace writes a file whole or not at all, over an earlier one.
func Replace(path string, data []byte, mode os.FileMode) error {
	return atomicfile.WriteMode(path, mode, int64(len(data)), func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}
