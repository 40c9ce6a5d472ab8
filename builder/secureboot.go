package builder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/builder/assemble"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/secureboot"
	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/hint"
)

// SecureBoot is what the command line says about signing.
type SecureBoot struct {
	// Dir is one that `stele secureboot init` has made; empty: nothing is signed.
	Dir string
	// Key of db: a file or exec:COMMAND; empty: db.key in Dir.
	Key string
	// Enroll is one of assemble.EnrollWords; empty: the first.
	Enroll     string
	Passphrase secureboot.Passphrase
	// Now tells whether certificates have expired. Nothing in the image depends on it.
	Now time.Time
}

// secureBoot is the open key, and what it has signed.
type secureBoot struct {
	*secureboot.Opened
	enroll string
	signed []output.SignedImage
}

// openSecureBoot refuses what cannot be used before anything is built.
func openSecureBoot(ctx context.Context, o SecureBoot) (*secureBoot, error) {
	if o.Dir == "" {
		if o.Key != "" || o.Enroll != "" {
			return nil, hint.New(fmt.Errorf("cannot sign for Secure Boot: no directory with its keys is given"), "say --secure-boot DIR")
		}
		return nil, nil
	}
	if o.Enroll == "" {
		o.Enroll = assemble.EnrollWords[0]
	}
	if !slices.Contains(assemble.EnrollWords, o.Enroll) {
		return nil, hint.New(fmt.Errorf("cannot have machines enrol %q: the loader does not know the word", o.Enroll), "say one of "+strings.Join(assemble.EnrollWords, ", "))
	}
	opened, err := secureboot.Open(ctx, o.Dir, o.Key, o.Passphrase, o.Now)
	if err != nil {
		return nil, err
	}
	return &secureBoot{Opened: opened, enroll: o.Enroll}, nil
}

// spec is what assemble needs; nil where nothing is signed.
func (s *secureBoot) spec() *assemble.SecureBoot {
	if s == nil {
		return nil
	}
	s.signed = nil
	return &assemble.SecureBoot{Variables: s.Variables, Enroll: s.enroll, Sign: func(name string, image []byte) ([]byte, error) {
		signed, err := s.Sign(name, image)
		if err != nil {
			return nil, err
		}
		read, err := authenticode.Read(bytes.NewReader(signed))
		s.signed = append(s.signed, output.SignedImage{Name: name, Digest: hex.EncodeToString(read.Digest[:])})
		return signed, err
	}}
}

// key is all that decides about the image's bytes: the private key does, by its certificate.
func (s *secureBoot) key() string {
	if s == nil {
		return ""
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%x\x00", s.enroll, s.Signer.Certificate.Raw)
	for _, name := range []string{secureboot.PK, secureboot.KEK, secureboot.DB, secureboot.DBX} {
		fmt.Fprintf(sum, "%s\x00%x\x00", name, s.Variables[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// manifest tells what signed what.
func (s *secureBoot) manifest() *output.SecureBoot {
	if s == nil {
		return nil
	}
	c := s.Signer.Certificate
	fingerprint := sha256.Sum256(c.Raw)
	m := &output.SecureBoot{
		Enroll: s.enroll, Signed: s.signed,
		Signer: output.Certificate{Subject: c.Subject.String(), SHA256: hex.EncodeToString(fingerprint[:]), NotAfter: c.NotAfter.UTC().Format(time.RFC3339)},
	}
	for _, name := range []string{secureboot.PK, secureboot.KEK, secureboot.DB, secureboot.DBX} {
		if content, ok := s.Variables[name]; ok {
			sum := sha256.Sum256(content)
			m.Variables = append(m.Variables, output.Artifact{Name: name + ".auth", SizeBytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
		}
	}
	return m
}
