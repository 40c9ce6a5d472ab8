package repository

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"

	"github.com/stele-os/stele/internal/execkey"
)

// execSigner leaves signing to a program (internal/execkey): Ed25519 (RFC 8032, 64 bytes), or ECDSA on P-256 over the message's SHA-256 (ASN.1,
// RFC 3279 2.2.3).
type execSigner struct {
	*execkey.Key
}

func newExecSigner(ctx context.Context, command string) (execSigner, error) {
	key, err := execkey.Open(ctx, command)
	if err != nil {
		return execSigner{}, err
	}
	switch public := key.Public.(type) {
	case ed25519.PublicKey:
		return execSigner{key}, nil
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return execSigner{key}, nil
		}
	}
	return execSigner{}, fmt.Errorf("cannot use key of %s: it is a %T, neither Ed25519 nor ECDSA on P-256", key, key.Public)
}

func (s execSigner) public() (crypto.PublicKey, error) { return s.Public, nil }

func (s execSigner) sign(ctx context.Context, message []byte) ([]byte, error) {
	return s.Sign(ctx, message)
}
