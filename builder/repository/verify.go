package repository

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
)

// verify checks a signature that was just made: a program may sign something else than it was given.
func verify(s signer, message, signature []byte) error {
	key, err := s.public()
	if err != nil {
		return err
	}
	ok := false
	switch k := key.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(k, message, signature)
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		ok = ecdsa.VerifyASN1(k, digest[:], signature)
	}
	if !ok {
		return errors.New("it is not valid for its public key")
	}
	return nil
}
