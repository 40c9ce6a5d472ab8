// Package bls is the Boot Loader Specification's naming of boot entries (UAPI.1, "Boot Counting" and "Sorting"), and its order of
// versions (UAPI.10, "Version Format Specification"), as systemd-boot 257 reads them: a pure model of which entry the loader starts.
package bls

import (
	"fmt"
	"strconv"
	"strings"
)

// Name is the file name of a UKI, taken apart: PREFIX_VERSION[+LEFT[-DONE]].efi.
type Name struct {
	// Prefix is the product, "stele".
	Prefix string
	// Version has no '+' and no '_'.
	Version string
	// Counted: there is a boot counter. Without one the entry is good.
	Counted bool
	// Left are the tries that remain; 0 makes the entry bad: it is sorted behind all others.
	Left int
	// Done are the tries used.
	Done int
}

// Bad tells whether the entry's tries are used up.
func (n Name) Bad() bool { return n.Counted && n.Left == 0 }

// String is the file name.
func (n Name) String() string {
	s := n.Prefix + "_" + n.Version
	switch {
	case n.Counted && n.Done > 0:
		s += fmt.Sprintf("+%d-%d", n.Left, n.Done)
	case n.Counted:
		s += fmt.Sprintf("+%d", n.Left)
	}
	return s + ".efi"
}

// maxTries bounds counters read from names: systemd-boot reads up to what fits an int.
const maxTries = 1 << 30

// ParseName takes a file name apart. The extension's letter case does not matter, as on FAT.
func ParseName(file string) (Name, error) {
	fail := func(why string) (Name, error) {
		return Name{}, fmt.Errorf("cannot read boot entry name %q: %s", file, why)
	}
	if len(file) < 4 || !strings.EqualFold(file[len(file)-4:], ".efi") {
		return fail("it does not end in .efi")
	}
	stem, counter, counted := strings.Cut(file[:len(file)-4], "+")
	prefix, version, ok := strings.Cut(stem, "_")
	if !ok || prefix == "" || version == "" {
		return fail("it is not of the form PREFIX_VERSION")
	}
	n := Name{Prefix: prefix, Version: version, Counted: counted}
	if !counted {
		return n, nil
	}
	left, done, both := strings.Cut(counter, "-")
	var err error
	if n.Left, err = parseTries(left); err != nil {
		return fail(err.Error())
	}
	if both {
		if n.Done, err = parseTries(done); err != nil {
			return fail(err.Error())
		}
	}
	return n, nil
}

func parseTries(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n > maxTries {
		return 0, fmt.Errorf("%q is no count of tries", s)
	}
	return int(n), nil
}
