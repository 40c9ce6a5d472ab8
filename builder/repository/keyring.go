package repository

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/execkey"
	"github.com/stele-os/stele/internal/hint"
)

// signer is one private key, wherever it lies.
type signer interface {
	public() (crypto.PublicKey, error)
	sign(ctx context.Context, message []byte) ([]byte, error)
	String() string
}

// Keyring holds the private keys that a command may use.
type Keyring struct {
	// Passphrase is asked for the passphrase of a key file, or of a new one; nil: there is none. Nil for a new key means unencrypted.
	Passphrase func(file string) ([]byte, error)
	// Unencrypted allows new key files without passphrase.
	Unencrypted bool
	// Random makes new keys.
	Random io.Reader

	dirs    []string
	signers map[string]signer
	order   []string
}

// Add takes the keys of a source: a directory of key files, one key file, or "exec:COMMAND".
func (k *Keyring) Add(ctx context.Context, source string) error {
	if command, ok := strings.CutPrefix(source, execkey.Prefix); ok {
		s, err := newExecSigner(ctx, command)
		if err != nil {
			return err
		}
		_, err = k.add(s)
		return err
	}
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		k.dirs = append(k.dirs, source) // a new one
		return nil
	case err != nil:
		return fmt.Errorf("cannot read keys: %w", err)
	case !info.IsDir():
		return k.addFile(source)
	}
	k.dirs = append(k.dirs, source)
	files, err := filepath.Glob(filepath.Join(escape(source), "*"+keySuffix))
	for _, file := range files {
		err = errors.Join(err, k.addFile(file))
	}
	return err
}

// escape keeps Glob from reading a directory's name as a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

func (k *Keyring) addFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyBytes))
	if err != nil {
		return fmt.Errorf("cannot read key: %w", err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return fmt.Errorf("cannot read key %q: %w", path, err)
	}
	_, err = k.add(&fileSigner{path: path, key: key, passphrase: k.Passphrase})
	return err
}

func (k *Keyring) add(s signer) (*metadata.Key, error) {
	public, err := s.public()
	if err != nil {
		return nil, err
	}
	key, id, err := keyID(public)
	if err != nil {
		return nil, fmt.Errorf("cannot use key of %s: %w", s, err)
	}
	if k.signers == nil {
		k.signers = map[string]signer{}
	}
	if _, known := k.signers[id]; !known {
		k.signers[id] = s
		k.order = append(k.order, id)
	}
	return key, nil
}

// has says which of the keys are there, in their order.
func (k *Keyring) has(ids []string) []string {
	if k == nil {
		return nil
	}
	var found []string
	for _, id := range ids {
		if _, ok := k.signers[id]; ok {
			found = append(found, id)
		}
	}
	return found
}

// make makes a key in the first directory.
func (k *Keyring) make(role string) (*metadata.Key, error) {
	if len(k.dirs) == 0 {
		return nil, hint.New(fmt.Errorf("cannot make key for %s: no directory for keys is given", role), "say --keys KEYDIR")
	}
	var passphrase []byte
	if !k.Unencrypted {
		if k.Passphrase == nil {
			return nil, hint.New(fmt.Errorf("cannot make key for %s: there is no passphrase for it", role),
				"give one with --passphrase-file or STELE_PASSPHRASE, or say --unencrypted")
		}
		var err error
		if passphrase, err = k.Passphrase(filepath.Join(k.dirs[0], role+keySuffix)); err != nil {
			return nil, err
		}
		if len(passphrase) == 0 {
			return nil, hint.New(fmt.Errorf("cannot make key for %s: the passphrase is empty", role), "say --unencrypted if that is meant")
		}
	}
	s, err := writeKey(k.dirs[0], role, k.Random, passphrase)
	if err != nil {
		return nil, err
	}
	return k.add(s)
}

// use takes the key of a source for a role.
func (k *Keyring) use(ctx context.Context, source string) (*metadata.Key, error) {
	one := &Keyring{Passphrase: k.Passphrase}
	if err := one.Add(ctx, source); err != nil {
		return nil, err
	}
	if len(one.order) != 1 {
		return nil, fmt.Errorf("cannot take a key from %q: it holds %d instead of one", source, len(one.order))
	}
	return k.add(one.signers[one.order[0]])
}
