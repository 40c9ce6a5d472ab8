// Package site is what stands around machines under test: an operators' CA, an update repository with its keys, and the two ways to a machine:
// the operator's client and a web server. It is made of the code that the stele command is made of.
package site

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stele-os/stele/builder/repository"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/pki"
	"github.com/stele-os/stele/test/qemu/machine"
)

// Site is one operator's place.
type Site struct {
	// Dir holds pki/, keys/ and repository/.
	Dir string
	// ClientCAs is the PEM for spec.api.clientCAs.
	ClientCAs string

	authority *pki.Authority
	keys      *repository.Keyring
	lock      sync.Mutex
}

// Open makes a site in dir, or finds the one that is there.
func Open(ctx context.Context, dir string) (*Site, error) {
	s := &Site{Dir: dir, keys: &repository.Keyring{Unencrypted: true, Random: rand.Reader}}
	var err error
	if s.authority, err = pki.Load(s.pki()); err != nil {
		if s.authority, err = pki.Init(s.pki(), "test operators", 24*time.Hour*365, time.Now()); err != nil {
			return nil, err
		}
	}
	ca, err := os.ReadFile(filepath.Join(s.pki(), pki.CertificateFile))
	if err != nil {
		return nil, err
	}
	s.ClientCAs = string(ca)
	if err := s.keys.Add(ctx, filepath.Join(dir, "keys")); err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.UpdateRoot()); err == nil {
		return s, nil
	}
	return s, repository.Init(ctx, s.options(), nil)
}

func (s *Site) pki() string { return filepath.Join(s.Dir, "pki") }

// Repository is the update repository's directory.
func (s *Site) Repository() string { return filepath.Join(s.Dir, "repository") }

// UpdateRoot is the root metadata that goes into images.
func (s *Site) UpdateRoot() string { return filepath.Join(s.Repository(), "metadata", "1.root.json") }

func (s *Site) options() repository.Options {
	return repository.Options{Dir: s.Repository(), Keys: s.keys, Now: time.Now, Expires: repository.DefaultExpires(), Report: func(string) {}}
}

// Publish adds a built image to the repository, unless its version is there.
func (s *Site) Publish(ctx context.Context, image machine.Image, minimum string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	r, err := repository.Open(s.options())
	if err != nil {
		return err
	}
	defer r.Close()
	listing, err := r.List()
	if err != nil {
		return err
	}
	for _, b := range listing.Bundles {
		if b.RootHash == image.Manifest.RootHash {
			return nil
		}
	}
	_, err = r.Publish(ctx, image.Dir, repository.PublishOptions{MinimumVersion: minimum})
	return err
}

// Info of a published version.
func (s *Site) Info(version string) (bundle.Info, error) {
	r, err := repository.Read(s.options())
	if err != nil {
		return bundle.Info{}, err
	}
	listing, err := r.List()
	if err != nil {
		return bundle.Info{}, err
	}
	for _, b := range listing.Bundles {
		if b.Version == version {
			return b.Info, nil
		}
	}
	return bundle.Info{}, fmt.Errorf("version %s is not published", version)
}

// Handler serves the repository as a static web server does.
func (s *Site) Handler() http.Handler { return http.FileServer(http.Dir(s.Repository())) }

// Identity issues a client certificate of a role.
func (s *Site) Identity(name, role string) (contexts.Identity, error) {
	certificate, key, err := s.authority.Issue(pki.Client{Name: name, Role: role, Lifetime: time.Hour}, time.Now())
	return contexts.Identity{Name: name, Certificate: string(certificate), Key: string(key)}, err
}

// Client calls a machine, known by the fingerprint of its key, in a role.
func (s *Site) Client(name, address, fingerprint, role string) (*node.Client, error) {
	identity, err := s.Identity(role, role)
	if err != nil {
		return nil, err
	}
	c, err := node.New(contexts.Node{Name: name, Address: address, Fingerprint: fingerprint}, identity)
	if err != nil {
		return nil, errors.Join(errors.New("cannot call machine"), err)
	}
	return c, nil
}
