package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/atomicfile"
)

const (
	keyFile         = "key.pem"
	certificateFile = "certificate.pem"
	keyBlock        = "PRIVATE KEY" // RFC 7468 §10
)

// openKey reads the key; one that is missing or torn is made anew.
func (id *Identity) openKey() (notes []string, err error) {
	path := filepath.Join(id.options.Dir, keyFile)
	content, err := readBounded(path)
	if err == nil {
		if id.key, err = decodeKey(content); err == nil {
			return nil, nil
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		notes = append(notes, fmt.Sprintf("the machine's key is lost (cannot read %q: %v): a new one is made, and clients that pinned the old one must be told", path, err))
	}
	if id.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return notes, fmt.Errorf("cannot make the machine's key: %w", err)
	}
	if err := id.saveKey(); err != nil {
		id.unsaved = true
		notes = append(notes, fmt.Sprintf("the machine's key is in memory only: %v", err))
	}
	return notes, nil
}

// Save stores a key that could not be stored before. It does nothing for one that is.
func (id *Identity) Save() error {
	id.mu.Lock()
	defer id.mu.Unlock()
	if !id.unsaved {
		return nil
	}
	if err := id.saveKey(); err != nil {
		return err
	}
	id.unsaved = false
	return nil
}

func (id *Identity) saveKey() error {
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		return fmt.Errorf("cannot encode the machine's key: %w", err)
	}
	return write(id.options.Dir, keyFile, pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}))
}

func decodeKey(content []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(content)
	if block == nil || block.Type != keyBlock {
		return nil, errors.New("it holds no PKCS #8 key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok || ec.Curve != elliptic.P256() {
		return nil, errors.New("it is not an ECDSA P-256 key")
	}
	return ec, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxPEMBytes))
}

// write gives a file its content whole or not at all.
func write(dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	if err := atomicfile.Keep(path, content); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}
