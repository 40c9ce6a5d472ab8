package repository

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/hint"
)

const (
	// keyFormat in every key file.
	keyFormat = "stele-key/1"
	// keySuffix of key files; others in a key directory are ignored.
	keySuffix = ".key"
	// maxKeyBytes of a key file.
	maxKeyBytes = 64 << 10
)

// keyFile is a private key on disk: the public half in clear, so that the right file is found without its passphrase.
type keyFile struct {
	Format string `json:"format"`
	// Role that the key was made for; only root metadata decides what it counts for.
	Role string `json:"role"`
	// Public is the Ed25519 public key in hex, as in TUF metadata (specification 1.0.33, 4.2.1).
	Public string `json:"public"`
	// Encrypted is the seed in the format of go-securesystemslib: scrypt and NaCl secretbox.
	Encrypted json.RawMessage `json:"encrypted,omitempty"`
	// Seed in hex, where somebody asked for a file without passphrase.
	Seed string `json:"seed,omitempty"`
}

// decodeKey reads a key file strictly.
func decodeKey(text []byte) (*keyFile, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	k := &keyFile{}
	if err := d.Decode(k); err != nil {
		return nil, err
	}
	if k.Format != keyFormat {
		return nil, fmt.Errorf("its format is %q instead of %q", k.Format, keyFormat)
	}
	if _, err := k.publicKey(); err != nil {
		return nil, err
	}
	if (k.Seed == "") == (len(k.Encrypted) == 0) {
		return nil, errors.New("exactly one of encrypted and seed is needed")
	}
	return k, nil
}

func (k *keyFile) publicKey() (ed25519.PublicKey, error) {
	public, err := hex.DecodeString(k.Public)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%q is no Ed25519 public key in hex", k.Public)
	}
	return public, nil
}

// open returns the private key, and makes sure that it is the public one's.
func (k *keyFile) open(passphrase []byte) (ed25519.PrivateKey, error) {
	seed, err := hex.DecodeString(k.Seed)
	if k.Seed == "" {
		seed, err = encrypted.Decrypt(k.Encrypted, passphrase)
	}
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("it is no Ed25519 key")
	}
	private := ed25519.NewKeyFromSeed(seed)
	public, err := k.publicKey()
	if err != nil || !bytes.Equal(private.Public().(ed25519.PublicKey), public) {
		return nil, errors.New("its private half belongs to another public key")
	}
	return private, nil
}

// writeKey makes a key, below a directory that only its owner may enter. passphrase nil: unencrypted.
func writeKey(dir, role string, random io.Reader, passphrase []byte) (*fileSigner, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("cannot make key for %s: %w", role, err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	k := &keyFile{Format: keyFormat, Role: role, Public: hex.EncodeToString(public)}
	if passphrase == nil {
		k.Seed = hex.EncodeToString(seed)
	} else {
		sealed, err := encrypted.EncryptWithCustomKDFParameters(seed, passphrase, encrypted.OWASP)
		if err != nil {
			return nil, fmt.Errorf("cannot encrypt key for %s: %w", role, err)
		}
		k.Encrypted = sealed
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot encode key for %s: %w", role, err)
	}
	_, id, err := keyID(public)
	if err != nil {
		return nil, err
	}
	s := &fileSigner{path: filepath.Join(dir, role+"-"+short(id)+keySuffix), key: k, private: private}
	return s, writeSecret(s.path, append(text, '\n'))
}

// writeSecret writes a new file that only its owner may read.
func writeSecret(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot make key directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write key: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("cannot write key: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// fileSigner signs with a key file; it asks for the passphrase once, when it is needed.
type fileSigner struct {
	path       string
	key        *keyFile
	private    ed25519.PrivateKey
	passphrase func(file string) ([]byte, error)
}

func (s *fileSigner) public() (crypto.PublicKey, error) { return s.key.publicKey() }

func (s *fileSigner) String() string { return s.path }

func (s *fileSigner) sign(_ context.Context, message []byte) ([]byte, error) {
	if s.private == nil {
		if err := s.unlock(); err != nil {
			return nil, err
		}
	}
	return ed25519.Sign(s.private, message), nil
}

func (s *fileSigner) unlock() error {
	var passphrase []byte
	if s.key.Seed == "" {
		if s.passphrase == nil {
			return hint.New(fmt.Errorf("cannot open key %q: it needs a passphrase", s.path), "give it with --passphrase-file or STELE_PASSPHRASE")
		}
		var err error
		if passphrase, err = s.passphrase(s.path); err != nil {
			return err
		}
	}
	private, err := s.key.open(passphrase)
	if err != nil {
		return fmt.Errorf("cannot open key %q: %w", s.path, err)
	}
	s.private = private
	return nil
}

// keyID of a public key (TUF specification 1.0.33, 4.2).
func keyID(public crypto.PublicKey) (*metadata.Key, string, error) {
	k, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		return nil, "", err
	}
	id, err := k.ID()
	return k, id, err
}
