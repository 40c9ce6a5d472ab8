// Package debian reads what a Debian archive publishes: the signed index of a suite, package stanzas and binary packages.
//
// It follows the Debian Policy Manual (control fields, chapter 5; version order, section 5.6.12), deb(5), sources.list(5)
// and the repository format at wiki "DebianRepository/Format". It installs nothing, resolves no dependencies and knows no
// mirror by name: the address comes from the machine's apt configuration or from the caller.
//
// Invariants: nothing read from the network is used before its SHA-256 was found below an OpenPGP signature made by a key
// of the given keyring (TestIndexRefuses); every decoder bounds what it allocates (the Fuzz tests).
//
// apt itself was rejected: it wants root or a private configuration tree, follows the host's architecture, and gives no
// reproducible answer to "which bytes were these".
package debian

import "fmt"

// Package is one binary package as the index of a suite lists it.
type Package struct {
	Name         string
	Version      string
	Architecture string
	// Path is relative to the mirror, such as "pool/main/l/linux/….deb".
	Path      string
	SizeBytes int64
	SHA256    string
}

func (p Package) String() string { return fmt.Sprintf("%s_%s_%s", p.Name, p.Version, p.Architecture) }
