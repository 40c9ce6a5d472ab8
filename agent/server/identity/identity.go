// Package identity is who the machine is towards its API's clients: a key that is made here and never leaves, and a certificate for it.
//
//	key.pem          PKCS #8 (RFC 5958), ECDSA P-256, 0600; written whole or not at all
//	certificate.pem  what an admin installed: the leaf first, then its chain (RFC 8446 §4.4.2); absent until then
//
// Until a certificate is installed, and again when an installed one is over, the machine shows a certificate signed with its own key. That one
// is not stored: it is made at the start, when the machine's name or addresses change, and when two thirds of its life are over. Clients
// pin the key (its SubjectPublicKeyInfo, RFC 5280 §4.1), so none of this disturbs them.
//
// Invariants:
//   - The key changes only when the file is gone or unreadable, and then a note says so (TestTornKey).
//   - A self-signed certificate is valid on a machine whose clock has not been set yet: its NotBefore is the image's build time, before which
//     no machine's clock stands (TestSelfSignedAllowsForWrongClock).
//   - A certificate that is not for the key, or could serve nobody, is not installed (TestInstallRefuses).
//
// A key in the TPM was considered: machines without one would need this code as well.
package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/stele-os/stele/internal/spki"
)

// Options of Open.
type Options struct {
	// Dir is made where it is missing.
	Dir string
	Now func() time.Time
	// NotBefore of self-signed certificates.
	NotBefore time.Time
}

// Identity is the machine's key and certificates. Safe for concurrent use.
type Identity struct {
	options Options
	key     *ecdsa.PrivateKey

	mu        sync.Mutex
	unsaved   bool // the key is in memory only
	hostname  string
	addresses []netip.Addr
	self      *tls.Certificate
	installed *tls.Certificate // nil: none
}

// Open reads the key, or makes it. It fails only without randomness: a directory that cannot be written leaves a key in memory. Notes are
// sentences for the log.
func Open(o Options) (id *Identity, notes []string, err error) {
	id = &Identity{options: o, hostname: "localhost"}
	notes, err = id.openKey()
	if err != nil {
		return nil, notes, err
	}
	if note := id.readInstalled(); note != "" {
		notes = append(notes, note)
	}
	return id, notes, id.renewSelf()
}

// SetNames says what the machine is called. A self-signed certificate with other names is made anew.
func (id *Identity) SetNames(hostname string, addresses []netip.Addr) error {
	id.mu.Lock()
	defer id.mu.Unlock()
	if hostname == "" {
		hostname = "localhost"
	}
	if id.hostname == hostname && slices.Equal(id.addresses, addresses) {
		return nil
	}
	id.hostname, id.addresses = hostname, slices.Clone(addresses)
	return id.renewSelf()
}

// Certificate is what clients see now.
func (id *Identity) Certificate() (*tls.Certificate, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	return id.active()
}

// active chooses by the clock at each call, so that nothing has to happen at the moment when a certificate ends.
func (id *Identity) active() (*tls.Certificate, error) {
	now := id.options.Now()
	if c := id.installed; c != nil && now.Before(c.Leaf.NotAfter) {
		return c, nil
	}
	if due(id.self.Leaf, now) {
		if err := id.renewSelf(); err != nil {
			return nil, err
		}
	}
	return id.self, nil
}

// Status is what others are told.
type Status struct {
	Fingerprint string
	SelfSigned  bool
	NotAfter    time.Time
	// Certificates are DER, the leaf first.
	Certificates [][]byte
	// Warning is a sentence where an installed certificate is over or soon will be, or the key could not be stored.
	Warning string
}

// Status tells how things are now.
func (id *Identity) Status() (Status, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	c, err := id.active()
	if err != nil {
		return Status{}, err
	}
	return Status{
		Fingerprint:  spki.Fingerprint(c.Leaf.RawSubjectPublicKeyInfo),
		SelfSigned:   c == id.self,
		NotAfter:     c.Leaf.NotAfter,
		Certificates: c.Certificate,
		Warning:      id.warning(),
	}, nil
}

func (id *Identity) warning() string {
	now := id.options.Now()
	switch c := id.installed; {
	case id.unsaved:
		return "the machine's key is in memory only: it will be another one after the next boot"
	case c == nil:
		return ""
	case !now.Before(c.Leaf.NotAfter):
		return "the installed certificate is over since " + stamp(c.Leaf.NotAfter) + "; the self-signed one is shown again: install a new one"
	case due(c.Leaf, now):
		return "the installed certificate ends at " + stamp(c.Leaf.NotAfter) + ": install a new one"
	}
	return ""
}

// due tells whether two thirds of a certificate's life are over. The life of a self-signed one begins when it is made, not at NotBefore.
func due(c *x509.Certificate, now time.Time) bool {
	life := c.NotAfter.Sub(c.NotBefore)
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		life = selfSignedLife
	}
	return c.NotAfter.Sub(now) < life/3
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
