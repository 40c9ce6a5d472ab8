package bls

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Name is the file name of a UKI, taken apart: PREFIX_VERSION[+LEFT[-DONE]].efi.
type Name struct {
	// Prefix is the product, "stele". It has no '_'.
	Prefix string
	// Version is all up to the counter. What looks like a counter but is none to the loader ("1.0+x") is part of it.
	Version string
	// Counted: there is a boot counter. Without one the entry is good.
	Counted bool
	// Left are the tries that remain; 0 makes the entry bad: it is sorted behind all others.
	Left int
	// Done are the tries used.
	Done int

	// suffix is ".efi" in another letter case; empty for ".efi".
	suffix string
}

// suffix of every entry, in any letter case.
const suffix = ".efi"

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
	if n.suffix != "" {
		return s + n.suffix
	}
	return s + suffix
}

// Tried is the name that the loader gives the file before it starts it: one try less, one done more. Without a counter nothing changes.
func (n Name) Tried() Name {
	if !n.Counted {
		return n
	}
	n.Left = max(n.Left-1, 0)
	n.Done = min(n.Done+1, math.MaxInt32)
	n.suffix = "" // the loader writes it in lower case
	return n
}

// Entry is the name as the loader sees the UKI: with our os-release the version is the name's, and the sort key the product.
func (n Name) Entry() Entry {
	return Entry{File: n.String(), SortKey: n.Prefix, Version: n.Version}
}

// ParseName takes a file name apart. Only what the loader takes for a counter is one.
func ParseName(file string) (Name, error) {
	fail := func(why string) (Name, error) {
		return Name{}, fmt.Errorf("cannot read boot entry name %q: %s", file, why)
	}
	if !Listed(file) {
		return fail("the loader does not list it")
	}
	n := Name{}
	stem := file[:len(file)-len(suffix)]
	if s := file[len(stem):]; s != suffix {
		n.suffix = s
	}
	if left, done, ok := Tries(file); ok {
		n.Counted, n.Left, n.Done = true, left, done
		stem = stem[:strings.LastIndexByte(stem, '+')]
	}
	var ok bool
	n.Prefix, n.Version, ok = strings.Cut(stem, "_")
	if !ok || n.Prefix == "" || n.Version == "" {
		return fail("it is not of the form PREFIX_VERSION")
	}
	return n, nil
}

// Listed tells whether the loader takes a file of EFI/Linux for an entry by its name (config_load_type2_entries).
func Listed(file string) bool {
	return len(file) >= len(suffix) && strings.EqualFold(file[len(file)-len(suffix):], suffix) &&
		file[0] != '.' && !strings.HasPrefix(file, "auto-")
}

// Tries reads the counter of a file name as boot_entry_parse_tries does: "+LEFT" or "+LEFT-DONE" behind the last '+' and right before ".efi".
// Anything else, a number above the largest int32 too, is no counter, and the entry a good one.
func Tries(file string) (left, done int, counted bool) {
	i, end := strings.LastIndexByte(file, '+'), len(file)-len(suffix)
	if i < 0 || i >= end || !strings.EqualFold(file[end:], suffix) {
		return 0, 0, false
	}
	l, d, both := strings.Cut(file[i+1:end], "-")
	left, ok := parseTries(l)
	if !ok {
		return 0, 0, false
	}
	if both {
		if done, ok = parseTries(d); !ok {
			return 0, 0, false
		}
	}
	return left, done, true
}

func parseTries(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil
}
