package secureboot

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/efisig"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/pkcs7"
)

// Opened is what a build needs of the directory.
type Opened struct {
	// Signer is the db key with its certificate.
	Signer pkcs7.Key
	// Variables are the contents of the .auth files by the variable's name.
	Variables map[string][]byte
	policy    efisig.Policy
}

// Open reads the directory for a build and makes sure that machines which enrol these variables start what the key signs. source is the db key's:
// a file or exec:COMMAND; empty: db.key in the directory.
func Open(ctx context.Context, dir, source string, ask Passphrase, now time.Time) (*Opened, error) {
	o := &Opened{Variables: map[string][]byte{}}
	certificates := map[string]*x509.Certificate{}
	for _, name := range Keys {
		path := filepath.Join(dir, name+certificateSuffix)
		c, err := readCertificate(path)
		if err != nil {
			return nil, missing(err, dir)
		}
		if err := checkExpiry(name, path, c, now); err != nil {
			return nil, err
		}
		certificates[name] = c
	}
	if err := o.readVariables(dir, certificates); err != nil {
		return nil, err
	}
	if source == "" {
		source = filepath.Join(dir, DB+keySuffix)
	}
	key, err := openKey(ctx, source, ask)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = hint.New(err, "a build needs the db key: put it there, or name it with --secure-boot-key (a file, or exec:COMMAND)")
		}
		return nil, err
	}
	if !matches(key, certificates[DB]) {
		err := fmt.Errorf("cannot use key %q: it is not that of %q", source, filepath.Join(dir, DB+certificateSuffix))
		return nil, hint.New(err, "name the right one with --secure-boot-key")
	}
	o.Signer = pkcs7.Key{Private: key, Certificate: certificates[DB]}
	return o, nil
}

// missing adds the next step to an error of a file that is not there.
func missing(err error, dir string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return hint.New(err, "make keys with: stele secureboot init "+dir)
	}
	return err
}

func checkExpiry(name, path string, c *x509.Certificate, now time.Time) error {
	if now.Before(c.NotAfter) {
		return nil
	}
	err := fmt.Errorf("cannot use certificate %q: it expired on %s", path, c.NotAfter.Format(time.DateOnly))
	return hint.New(err, "firmware would not mind, people should: make a new "+purposes[name]+" (stele secureboot init), and enrol it on the machines")
}

// readVariables holds the signed variables against the certificates: each must be signed by the one before.
func (o *Opened) readVariables(dir string, certificates map[string]*x509.Certificate) error {
	values := map[string][]efisig.Entry{}
	for _, v := range []struct{ name, signer string }{{PK, PK}, {KEK, PK}, {DB, KEK}, {DBX, KEK}} {
		path := filepath.Join(dir, v.name+signedSuffix)
		text, err := readFile(path)
		if v.name == DBX && errors.Is(err, fs.ErrNotExist) {
			continue // nothing is forbidden
		}
		if err != nil {
			return missing(fmt.Errorf("cannot read signed variable: %w", err), dir)
		}
		signed, err := efisig.ReadVariable(v.name, text)
		if err != nil {
			return fmt.Errorf("cannot use %q: %w", path, err)
		}
		entries, err := efisig.Decode(signed.Value)
		if err != nil {
			return fmt.Errorf("cannot use %q: %w", path, err)
		}
		values[v.name] = entries
		if !holds(values[v.signer], signed.Signer) {
			return fmt.Errorf("cannot use %q: it is signed by %q, which is not in %s", path, signed.Signer.Subject, v.signer)
		}
		if own := certificates[v.name]; own != nil && !holds(entries, own) {
			return fmt.Errorf("cannot use %q: it does not hold %q", path, filepath.Join(dir, v.name+certificateSuffix))
		}
		o.Variables[v.name] = text
	}
	o.policy = efisig.Policy{DB: values[DB], DBX: values[DBX]}
	return nil
}

func holds(entries []efisig.Entry, c *x509.Certificate) bool {
	for _, e := range entries {
		if e.Type == efisig.TypeX509 && bytes.Equal(e.Data, c.Raw) {
			return true
		}
	}
	return false
}

// Sign signs a PE image, and judges the result as a machine will that has enrolled the variables.
func (o *Opened) Sign(name string, image []byte) ([]byte, error) {
	signed, err := authenticode.Sign(image, o.Signer)
	if err != nil {
		return nil, fmt.Errorf("cannot sign %s: %w", name, err)
	}
	read, err := authenticode.Read(bytes.NewReader(signed))
	if err != nil {
		return nil, fmt.Errorf("cannot sign %s: %w", name, err)
	}
	if err := o.policy.Check(read); err != nil {
		return nil, fmt.Errorf("cannot sign %s: machines with these variables would refuse it: %w", name, err)
	}
	return signed, nil
}
