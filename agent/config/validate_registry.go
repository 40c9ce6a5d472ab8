package config

import (
	"crypto/x509"
	"net/url"
	"strings"

	"github.com/distribution/reference"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

func (c *checker) registries(path string, docs []v1alpha1.Registry) {
	hosts := map[string]string{}
	for i, doc := range docs {
		path := strictyaml.Index(path, i)
		if doc.Host == "" {
			c.problem(path+".host", "is missing: give the host as it stands in image references, such as \"registry.example.com\"")
		} else if !registryHost(doc.Host) {
			c.problem(path+".host", "%q is not a registry's host[:port] as it stands in image references, such as \"registry.example.com:5000\"", doc.Host)
		} else {
			c.unique(hosts, path+".host", "host", doc.Host)
		}
		for j, mirror := range doc.Mirrors {
			c.mirror(strictyaml.Index(path+".mirrors", j), mirror)
		}
		if doc.CA != "" {
			c.certificates(path+".ca", doc.CA)
		}
	}
}

// registryHost tells whether the reference grammar takes host for a registry's host.
func registryHost(host string) bool {
	named, err := reference.ParseNormalizedNamed(host + "/name")
	return err == nil && reference.Domain(named) == host
}

func (c *checker) mirror(path, mirror string) {
	if !strings.Contains(mirror, "://") {
		if !registryHost(mirror) {
			c.problem(path, "is neither host[:port] nor an http(s) URL") // not quoted: it may hold a password
		}
		return
	}
	u, err := url.Parse(mirror)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.problem(path, "is neither host[:port] nor an http(s) URL")
	case u.User != nil:
		c.problem(path, "holds a user name or password: this is not supported, and would be readable to everyone who reads the document")
	case u.RawQuery != "" || u.Fragment != "":
		c.problem(path, "has a query or fragment: remove it")
	}
}

// certificates checks a bundle that is trusted as it stands.
func (c *checker) certificates(path, bundle string) {
	blocks, err := pemBlocks(bundle)
	if err != nil {
		c.problem(path, "%v", err)
		return
	}
	for i, block := range blocks {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			c.problem(path, "certificate %d cannot be read: %v", i+1, err)
			return
		}
	}
}
