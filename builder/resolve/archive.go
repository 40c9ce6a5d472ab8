package resolve

import (
	"io/fs"
	"net"
	"net/http"
	"time"

	"github.com/stele-os/stele/internal/debian"
)

// OpenArchive returns the Debian archive that the machine's apt configuration names (or mirror, if not empty), trusted
// through the machine's Debian keyring. root is the machine's root directory.
func OpenArchive(root fs.FS, mirror string) (*debian.Archive, error) {
	address, err := debian.Mirror(root, mirror)
	if err != nil {
		return nil, err
	}
	keyring, err := debian.Keyring(root)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 20 * time.Second}).DialContext,
		ResponseHeaderTimeout: time.Minute, // no limit on the whole: packages of 150 MB come over slow lines too
		TLSHandshakeTimeout:   20 * time.Second,
	}
	return &debian.Archive{Mirror: address, Keyring: keyring, Client: &http.Client{Transport: transport}, Now: time.Now}, nil
}
