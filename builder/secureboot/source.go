package secureboot

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/stele-os/stele/internal/execkey"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/pkcs8"
)

// Passphrase is asked for the passphrase of a key file, or of a new one; nil: there is none.
type Passphrase func(file string) ([]byte, error)

// maxFileBytes bounds a key or certificate file.
const maxFileBytes = 64 << 10

// openKey opens the private key of a source: a PEM file, or "exec:COMMAND" (internal/execkey; RSA PKCS #1 v1.5 or ECDSA, over the message's SHA-256).
func openKey(ctx context.Context, source string, ask Passphrase) (crypto.Signer, error) {
	if command, ok := strings.CutPrefix(source, execkey.Prefix); ok {
		key, err := execkey.Open(ctx, command)
		if err != nil {
			return nil, err
		}
		return program{ctx, key}, checkPublic(key.Public, source)
	}
	text, err := readFile(source)
	if err != nil {
		return nil, fmt.Errorf("cannot read key: %w", err)
	}
	var passphrase []byte
	if pkcs8.Encrypted(text) {
		if ask == nil {
			return nil, hint.New(fmt.Errorf("cannot open key %q: it needs a passphrase", source), "give it with --passphrase-file or STELE_PASSPHRASE")
		}
		if passphrase, err = ask(source); err != nil {
			return nil, err
		}
	}
	key, err := pkcs8.Decode(text, passphrase)
	if err != nil {
		return nil, fmt.Errorf("cannot open key %q: %w", source, err)
	}
	return key, checkPublic(key.Public(), source)
}

// checkPublic refuses keys that firmware does not know or must not trust. UEFI 2.10 §32.4.1 asks for RSA 2048; EDK2 takes more than that.
func checkPublic(public crypto.PublicKey, source string) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 && key.N.BitLen() <= 4096 {
			return nil
		}
		return fmt.Errorf("cannot use key %q: RSA of %d bits instead of 2048 to 4096", source, key.N.BitLen())
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
	}
	return fmt.Errorf("cannot use key %q: a %T is neither RSA nor ECDSA on P-256 or P-384", source, public)
}

// program is a key of a program as a crypto.MessageSigner.
type program struct {
	ctx context.Context // of the command; crypto.Signer has no other way to end
	key *execkey.Key
}

func (p program) Public() crypto.PublicKey { return p.key.Public }

// SignMessage is what pkcs7 calls: programs get the message, not its digest.
func (p program) SignMessage(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	return p.key.Sign(p.ctx, message)
}

func (p program) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("a program signs messages, not digests")
}

// newKey makes an RSA key of 2048 bits: the one that every firmware must know.
func newKey() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// readCertificate reads an X.509 certificate, PEM or DER.
func readCertificate(path string) (*x509.Certificate, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read certificate: %w", err)
	}
	if block, _ := pem.Decode(text); block != nil && block.Type == "CERTIFICATE" {
		text = block.Bytes
	}
	c, err := x509.ParseCertificate(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read certificate %q: %w", path, err)
	}
	return c, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(text) > maxFileBytes {
		err = fmt.Errorf("%q has more than %d bytes", path, maxFileBytes)
	}
	return text, err
}

// matches tells whether a private key is that of a certificate.
func matches(key crypto.Signer, c *x509.Certificate) bool {
	a, err := x509.MarshalPKIXPublicKey(key.Public())
	return err == nil && bytes.Equal(a, c.RawSubjectPublicKeyInfo)
}
