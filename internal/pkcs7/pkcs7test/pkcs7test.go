// Package pkcs7test makes keys and certificates for tests.
package pkcs7test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/pkcs7"
)

// RSA is an RSA key of 2048 bits with a certificate that issuer has signed; nil: it has signed itself.
func RSA(t testing.TB, name string, issuer *pkcs7.Key) pkcs7.Key {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return New(t, name, private, issuer, time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC))
}

// ECDSA is the same on P-256.
func ECDSA(t testing.TB, name string, issuer *pkcs7.Key) pkcs7.Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return New(t, name, private, issuer, time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC))
}

// New is a certificate for private that ends at a moment.
func New(t testing.TB, name string, private crypto.Signer, issuer *pkcs7.Key, ends time.Time) pkcs7.Key {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name)) + 1), Subject: pkix.Name{CommonName: name}, NotBefore: ends.AddDate(-30, 0, 0), NotAfter: ends,
		BasicConstraintsValid: true, IsCA: true,
	}
	key := pkcs7.Key{Private: private, Certificate: template}
	if issuer == nil {
		issuer = &key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Certificate, private.Public(), issuer.Private)
	if err != nil {
		t.Fatal(err)
	}
	if key.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return key
}

// Write writes key and certificate as PEM files NAME.key and NAME.crt, and returns their paths.
func Write(t testing.TB, dir, name string, k pkcs7.Key) (key, certificate string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k.Private)
	if err != nil {
		t.Fatal(err)
	}
	key, certificate = filepath.Join(dir, name+".key"), filepath.Join(dir, name+".crt")
	for path, block := range map[string]*pem.Block{key: {Type: "PRIVATE KEY", Bytes: der}, certificate: {Type: "CERTIFICATE", Bytes: k.Certificate.Raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return key, certificate
}
