package config

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// api checks who may call, and that the port is not a container's: they share the machine's network.
func (c *checker) api(path string, doc v1alpha1.API, containers []v1alpha1.Container) {
	if doc.Port != 0 {
		c.portNumber(path+".port", doc.Port)
	}
	if doc.ClientCAs == "" {
		if doc.Port != 0 {
			c.problem(path+".clientCAs", "is missing: without it nobody may call, and the API does not listen")
		}
		return
	}
	c.authorities(path+".clientCAs", doc.ClientCAs)
	port := cmp.Or(doc.Port, plan.DefaultAPIPort)
	for i, container := range containers {
		for j, used := range container.Ports {
			if used.ContainerPort == port && used.Protocol != "UDP" {
				at := strictyaml.Index(strictyaml.Index("spec.containers", i)+".ports", j) + ".containerPort"
				c.problem(at, "the port %d is the API's: choose another one, or set %s.port", port, path)
			}
		}
	}
}

// authorities checks a bundle of CA certificates (RFC 5280 section 4.2.1.9). Whether one has expired is not checked: a document stays valid,
// and what a machine refuses at a call the caller is told.
func (c *checker) authorities(path, bundle string) {
	blocks, err := pemBlocks(bundle)
	if err != nil {
		c.problem(path, "%v", err)
		return
	}
	for i, block := range blocks {
		certificate, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			c.problem(path, "certificate %d cannot be read: %v", i+1, err)
		case !certificate.BasicConstraintsValid || !certificate.IsCA:
			c.problem(path, "certificate %d (%q) is not a CA's: name the CA that signs callers' certificates, not one of those", i+1, certificate.Subject)
		case certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageCertSign == 0:
			c.problem(path, "certificate %d (%q) may not sign certificates (its key usage says so)", i+1, certificate.Subject)
		}
	}
}

// pemBlocks returns the certificates of a bundle. Nothing else may be in it, and a private key least of all: documents are no place for secrets.
func pemBlocks(bundle string) ([]*pem.Block, error) {
	if strings.Contains(bundle, "PRIVATE KEY-----") {
		return nil, fmt.Errorf("holds a private key: take it out of the document, and regard it as known to everyone who could read that")
	}
	var blocks []*pem.Block
	for rest := []byte(bundle); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a PEM block %q: only CERTIFICATE blocks belong here", block.Type)
		}
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("holds no PEM certificate (\"-----BEGIN CERTIFICATE-----\")")
	}
	if begun := strings.Count(bundle, "-----BEGIN "); begun != len(blocks) {
		return nil, fmt.Errorf("holds %d PEM blocks, of which %d can be read", begun, len(blocks))
	}
	return blocks, nil
}
