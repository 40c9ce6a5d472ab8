package config

import (
	"net/netip"
	"strings"

	"github.com/stele-os/stele/internal/pattern"
)

// maxHostname is HOST_NAME_MAX of Linux (include/uapi/linux/utsname.h, __NEW_UTS_LEN).
const maxHostname = 64

var (
	// label is RFC 1123 section 2.1 in the lower case that Kubernetes asks for.
	label  = pattern.New(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	domain = pattern.New(`^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*\.?$`)
)

// name checks a name that other parts of the document refer to.
func (c *checker) name(path, name string) {
	switch {
	case name == "":
		c.problem(path, "is missing: give it a name of lower-case letters, digits and \"-\"")
	case !label().MatchString(name):
		c.problem(path, "%q is not a name of at most 63 lower-case letters, digits and \"-\", beginning and ending with a letter or digit", name)
	}
}

func (c *checker) hostname(path, name string) {
	for part := range strings.SplitSeq(name, ".") {
		if !label().MatchString(part) {
			c.problem(path, "%q is not a host name: each part between dots has lower-case letters, digits and \"-\", and begins and ends with a letter or digit", name)
			return
		}
	}
	if len(name) > maxHostname {
		c.problem(path, "has %d characters, the kernel takes %d", len(name), maxHostname)
	}
}

// host checks the name or address of another machine.
func (c *checker) host(path, host string) {
	if _, err := netip.ParseAddr(host); err == nil {
		return
	}
	if len(host) > 253 || !domain().MatchString(host) {
		c.problem(path, "%q is neither an address nor a host name", host)
	}
}

// domainName checks a DNS name (RFC 1035 section 2.3.4: at most 253 characters as text).
func (c *checker) domainName(path, name string) {
	if len(name) > 253 || !domain().MatchString(name) {
		c.problem(path, "%q is not a domain name", name)
	}
}

// portNumber checks a port that must be given.
func (c *checker) portNumber(path string, port int) {
	switch {
	case port == 0:
		c.problem(path, "is missing: give a port from 1 to 65535")
	case port < 0 || port > 65535:
		c.problem(path, "%d is not a port: give one from 1 to 65535", port)
	}
}
