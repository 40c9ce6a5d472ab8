package network

import (
	"fmt"
	"net/netip"
)

// verb is what an operation does.
type verb string

const (
	setSysctl     verb = "set sysctl"
	setUp         verb = "set up"
	setMTU        verb = "set mtu"
	removeRoute   verb = "remove route"
	removeAddress verb = "remove address"
	addAddress    verb = "add address"
	addRoute      verb = "add route"
)

// operation is one change of one link. Each can be applied again without harm.
type operation struct {
	verb   verb
	link   int
	name   string // the link's
	sysctl string
	value  string
	mtu    int
	prefix netip.Prefix
	route  route
}

// String is what golden files and error messages show.
func (o operation) String() string {
	switch o.verb {
	case setSysctl:
		return fmt.Sprintf("%s: %s %s=%s", o.name, o.verb, o.sysctl, o.value)
	case setMTU:
		return fmt.Sprintf("%s: %s %d", o.name, o.verb, o.mtu)
	case addAddress, removeAddress:
		return fmt.Sprintf("%s: %s %s", o.name, o.verb, o.prefix)
	case addRoute, removeRoute:
		via := ""
		if o.route.Via.IsValid() {
			via = " via " + o.route.Via.String()
		}
		return fmt.Sprintf("%s: %s %s%s metric %d", o.name, o.verb, o.route.To, via, o.route.Metric)
	}
	return fmt.Sprintf("%s: %s", o.name, o.verb)
}
