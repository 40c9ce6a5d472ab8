package state

import (
	"cmp"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/agent/plan"
)

// hostnameLabel is one label of a host name (RFC 1123, section 2.1).
var hostnameLabel = pattern.New(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`)

// Hostname is the name that the machine bears: the document's, else the platform's (both are in desired), else what a DHCP server gave, else
// plan.DefaultHostname. Of a server's name only the first label counts: the rest is its domain, and Linux holds 64 bytes. "localhost" names
// no machine.
func Hostname(desired plan.Desired, network Network) string {
	if desired.Hostname != "" && desired.Hostname != plan.DefaultHostname {
		return desired.Hostname
	}
	leased := leasedHostname(network.Hostname)
	return cmp.Or(leased, desired.Hostname)
}

func leasedHostname(name string) string {
	label := hostnameLabel().FindString(name)
	if label == "localhost" || len(label) < len(name) && name[len(label)] != '.' {
		return ""
	}
	return label
}
