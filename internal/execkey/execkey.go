// Package execkey leaves a private key to a program, which may ask a PKCS#11 token or a key management service:
//
//	COMMAND public   writes the public key to standard output (PEM, "PUBLIC KEY")
//	COMMAND sign     reads the message from standard input and writes the signature, in binary, to standard output
//
// Words are separated by spaces; there is no shell. Exit status 0 is success; standard error, and the terminal for a PIN, are the user's.
// Which kinds of keys are taken, and that a signature is right, is the caller's to check.
package execkey

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Prefix marks a program as the source of a key, where a file could stand, too.
const Prefix = "exec:"

// maxAnswer bounds what a program may answer, in bytes.
const maxAnswer = 4096

// Key is a program that signs.
type Key struct {
	// Command without verb.
	Command string
	// Public is the key that it has named.
	Public crypto.PublicKey
}

// Open asks a program for its public key.
func Open(ctx context.Context, command string) (*Key, error) {
	k := &Key{Command: command}
	text, err := k.run(ctx, "public", nil)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf(`cannot use key of %s: it is no PEM block "PUBLIC KEY"`, k)
	}
	if k.Public, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return nil, fmt.Errorf("cannot use key of %s: %w", k, err)
	}
	return k, nil
}

func (k *Key) String() string { return Prefix + k.Command }

// Sign has a message signed.
func (k *Key) Sign(ctx context.Context, message []byte) ([]byte, error) {
	return k.run(ctx, "sign", message)
}

func (k *Key) run(ctx context.Context, verb string, input []byte) ([]byte, error) {
	words := strings.Fields(k.Command)
	if len(words) == 0 {
		return nil, errors.New("cannot run signer: exec: needs a command")
	}
	command := exec.CommandContext(ctx, words[0], append(words[1:], verb)...)
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot run signer %q: %w", k.Command+" "+verb, err)
	}
	if len(output) == 0 || len(output) > maxAnswer {
		return nil, fmt.Errorf("cannot use answer of signer %q: it has %d bytes", k.Command+" "+verb, len(output))
	}
	return output, nil
}
