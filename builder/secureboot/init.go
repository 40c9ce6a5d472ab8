package secureboot

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/efisig"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/pkcs8"
)

// Options of Init.
type Options struct {
	// Dir takes the files; it must not hold keys already.
	Dir string
	// Name stands in the certificates of new keys.
	Name string
	// Sources of private keys that exist, by the key's name: a PEM file or exec:COMMAND. Certificates are theirs, PEM or DER; without one, a new one is made.
	Sources, Certificates map[string]string
	// Also are files whose certificate, or whose digest where they are PE images, go into a variable beside ours: KEK, db or dbx.
	Also map[string][]string
	// Unencrypted makes new key files without passphrase; else Passphrase is asked for one.
	Unencrypted bool
	Passphrase  Passphrase
	// Now is the time that the variables are signed with; certificates of new keys hold from then on for Lifetime.
	Now      time.Time
	Lifetime time.Duration
}

// pair is a key with its certificate, and whether it was made here.
type pair struct {
	pkcs7.Key
	fresh bool
}

// Init makes the directory. Keys that the user brings stay where they are.
func Init(ctx context.Context, o Options) error {
	for _, name := range Keys {
		if path := filepath.Join(o.Dir, name+certificateSuffix); exists(path) {
			return hint.New(fmt.Errorf("cannot make keys: %q is there already", path), "choose another directory: keys are never overwritten")
		}
	}
	pairs := map[string]pair{}
	for _, name := range Keys {
		p, err := o.pair(ctx, name)
		if err != nil {
			return err
		}
		pairs[name] = p
	}
	files, err := o.files(pairs)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("cannot make key directory: %w", err)
	}
	for _, f := range files {
		err := atomicfile.WriteMode(filepath.Join(o.Dir, f.name), f.mode, int64(len(f.content)), func(w *os.File) error {
			_, err := w.Write(f.content)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// pair opens or makes one of the keys.
func (o Options) pair(ctx context.Context, name string) (p pair, err error) {
	source, certificate := o.Sources[name], o.Certificates[name]
	if source == "" && certificate != "" {
		return p, hint.New(fmt.Errorf("cannot use certificate %q for %s: its key is missing", certificate, name), "name it, too: --key "+name+"=FILE or --key "+name+"=exec:COMMAND")
	}
	if source == "" {
		p.fresh = true
		p.Private, err = newKey()
	} else {
		p.Private, err = openKey(ctx, source, o.Passphrase)
	}
	if err != nil {
		return p, err
	}
	if certificate == "" {
		p.Certificate, err = o.certify(name, p.Private)
		return p, err
	}
	if p.Certificate, err = readCertificate(certificate); err != nil {
		return p, err
	}
	if err := checkExpiry(name, certificate, p.Certificate, o.Now); err != nil {
		return p, err
	}
	if !matches(p.Private, p.Certificate) {
		return p, fmt.Errorf("cannot use %q for %s: the certificate %q is of another key", source, name, certificate)
	}
	return p, nil
}

// certify makes a certificate in which the key signs itself: firmware asks for no more.
func (o Options) certify(name string, key crypto.Signer) (*x509.Certificate, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("cannot make certificate of %s: %w", name, err)
	}
	serial := sha256.Sum256(public) // the same key, the same number
	serial[0] &= 0x7f
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:16]), Subject: pkix.Name{CommonName: o.Name + " Secure Boot " + purposes[name]},
		NotBefore: o.Now.UTC().Truncate(time.Second), NotAfter: o.Now.UTC().Truncate(time.Second).Add(o.Lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, SignatureAlgorithm: x509.SHA256WithRSA,
	}
	if _, ok := key.Public().(*ecdsa.PublicKey); ok {
		template.SignatureAlgorithm = x509.ECDSAWithSHA256 // whatever the curve: programs know one digest
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("cannot make certificate of %s: %w", name, err)
	}
	return x509.ParseCertificate(der)
}

// file is one to be written.
type file struct {
	name    string
	mode    os.FileMode
	content []byte
}

// files are all of the directory, the certificates last: without them there is nothing.
func (o Options) files(pairs map[string]pair) (files []file, err error) {
	var last []file
	for _, name := range Keys {
		p := pairs[name]
		if p.fresh {
			content, err := o.encodeKey(name, p.Private)
			if err != nil {
				return nil, err
			}
			files = append(files, file{name + keySuffix, 0o600, content})
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
		files = append(files, file{name + derSuffix, 0o644, p.Certificate.Raw})
		last = append(last, file{name + certificateSuffix, 0o644, text})
	}
	public, err := x509.MarshalPKIXPublicKey(pairs[PK].Private.Public())
	if err != nil {
		return nil, fmt.Errorf("cannot encode key of PK: %w", err)
	}
	owner := ownerOf(public)
	var variables []efisig.Variable
	for _, v := range []struct{ name, signer string }{{PK, PK}, {KEK, PK}, {DB, KEK}, {DBX, KEK}} {
		var entries []efisig.Entry
		if v.name != DBX {
			entries = append(entries, efisig.Certificate(owner, pairs[v.name].Certificate))
		}
		if entries, err = o.also(v.name, owner, entries); err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			continue
		}
		value := efisig.Encode(entries)
		signed, err := efisig.SignVariable(v.name, value, o.Now, pairs[v.signer].Key)
		if err != nil {
			return nil, err
		}
		files = append(files, file{v.name + listSuffix, 0o644, value}, file{v.name + signedSuffix, 0o644, signed})
		variables = append(variables, efisig.Variable{Name: v.name, Value: value})
	}
	blob, err := efisig.EC2Data(variables)
	if err != nil {
		return nil, err
	}
	return append(append(files, file{EC2File, 0o644, []byte(blob)}), last...), nil
}

// ownerOf is the GUID that marks our entries: a UUID of version 8 (RFC 9562 §5.8) from the platform key.
func ownerOf(public []byte) gpt.GUID {
	sum := sha256.Sum256(public)
	uuid := [16]byte(sum[:16])
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return gpt.FromUUID(uuid)
}

func (o Options) encodeKey(name string, key crypto.Signer) ([]byte, error) {
	var passphrase []byte
	if !o.Unencrypted {
		if o.Passphrase == nil {
			return nil, hint.New(fmt.Errorf("cannot make key for %s: there is no passphrase for it", name), "give one with --passphrase-file or STELE_PASSPHRASE, or say --unencrypted")
		}
		var err error
		if passphrase, err = o.Passphrase(filepath.Join(o.Dir, name+keySuffix)); err != nil {
			return nil, err
		}
		if len(passphrase) == 0 {
			return nil, hint.New(fmt.Errorf("cannot make key for %s: the passphrase is empty", name), "say --unencrypted if that is meant")
		}
	}
	text, err := pkcs8.Encode(key, passphrase, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot encode key for %s: %w", name, err)
	}
	return text, nil
}
