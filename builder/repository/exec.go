package repository

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// execSigner leaves signing to a program, which may ask a PKCS#11 token or a key management service:
//
//	COMMAND public   writes the public key to standard output (PEM, "PUBLIC KEY"): Ed25519, or ECDSA on P-256
//	COMMAND sign     reads the message from standard input and writes the signature, in binary, to standard output:
//	                 Ed25519 (RFC 8032, 64 bytes), or ECDSA over the message's SHA-256 (ASN.1, RFC 3279 2.2.3)
//
// Words are separated by spaces; there is no shell. Exit status 0 is success; standard error, and the terminal for a PIN, are the user's.
type execSigner struct {
	command string
	key     crypto.PublicKey
}

// maxSignature bounds what a program may answer.
const maxSignature = 4096

func newExecSigner(ctx context.Context, command string) (*execSigner, error) {
	s := &execSigner{command: command}
	text, err := s.run(ctx, "public", nil)
	if err != nil {
		return nil, err
	}
	if s.key, err = decodePublic(text); err != nil {
		return nil, fmt.Errorf("cannot use key of %s: %w", s, err)
	}
	return s, nil
}

func decodePublic(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New(`it is no PEM block "PUBLIC KEY"`)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return k, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return k, nil
		}
	}
	return nil, fmt.Errorf("it is a %T, neither Ed25519 nor ECDSA on P-256", key)
}

func (s *execSigner) String() string { return execPrefix + s.command }

func (s *execSigner) public() (crypto.PublicKey, error) { return s.key, nil }

func (s *execSigner) sign(ctx context.Context, message []byte) ([]byte, error) {
	return s.run(ctx, "sign", message)
}

func (s *execSigner) run(ctx context.Context, verb string, input []byte) ([]byte, error) {
	words := strings.Fields(s.command)
	if len(words) == 0 {
		return nil, errors.New("cannot run signer: exec: needs a command")
	}
	command := exec.CommandContext(ctx, words[0], append(words[1:], verb)...)
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot run signer %q: %w", s.command+" "+verb, err)
	}
	if len(output) == 0 || len(output) > maxSignature {
		return nil, fmt.Errorf("cannot use answer of signer %q: it has %d bytes", s.command+" "+verb, len(output))
	}
	return output, nil
}
