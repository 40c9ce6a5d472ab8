package bootmodel

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bls"
)

// Result is what a machine does with a disk, left to itself.
type Result struct {
	// Entry is the file name of the entry that boots, behind the loader's last rename. Empty when nothing boots.
	Entry string
	// Version and SortKey are those of the entry's os-release.
	Version, SortKey string
	// Root is the name of the partition that holds the root, and RootHash the hash, in hex, with which all of it verifies.
	Root, RootHash string
	// Failed are the boots before that one, in order.
	Failed []Attempt
	// Err says why nothing ever boots.
	Err error
}

// Attempt is one boot that failed.
type Attempt struct {
	// Entry is the name under which the loader chose it.
	Entry string
	Err   error
}

// String is for failing tests.
func (r Result) String() string {
	var b strings.Builder
	for _, a := range r.Failed {
		fmt.Fprintf(&b, "%s fails (%v), ", a.Entry, a.Err)
	}
	if r.Err != nil {
		return b.String() + "nothing boots: " + r.Err.Error()
	}
	return fmt.Sprintf("%s%s boots version %q from %q", b.String(), r.Entry, r.Version, r.Root)
}

// ErrForever is why nothing boots when the loader chooses for ever an entry that fails.
var ErrForever = errors.New("the loader chooses it again and again")

// Model boots disks and remembers what it verified, so that thousands of disks that differ little cost little. Not for several goroutines.
type Model struct {
	seed     maphash.Seed
	verified map[uint64]error
	known    map[uint64]bool
}

// New returns a model that knows no UKI.
func New() *Model {
	return &Model{seed: maphash.MakeSeed(), verified: map[uint64]error{}, known: map[uint64]bool{}}
}

// Know names the whole content of a UKI. Once one is known, the kernel of any other content does not start.
func (m *Model) Know(uki []byte) { m.known[maphash.Bytes(m.seed, uki)] = true }

// Boot is New().Boot.
func Boot(d block.Device) Result { return New().Boot(d) }

// Boot says what the machine boots from a disk.
func (m *Model) Boot(d block.Device) Result {
	f, err := findFirmware(d)
	if err != nil {
		return Result{Err: err}
	}
	candidates, err := f.candidates()
	if err != nil {
		return Result{Err: err}
	}
	return m.tries(f, candidates)
}

// tries goes through boot after boot, until one works or nothing changes any more.
func (m *Model) tries(f *firmware, candidates []candidate) Result {
	var r Result
	for {
		i := choose(candidates)
		c := &candidates[i]
		before := c.entry.File
		n, counted := tried(before)
		if taken(candidates, n) {
			n, counted = before, false // the driver refuses, and the loader goes on without
		}
		c.entry.File = n
		root, err := m.start(f, *c)
		if err == nil {
			r.Entry, r.Version, r.SortKey, r.Root, r.RootHash = n, c.entry.Version, c.entry.SortKey, root.name, root.hash
			return r
		}
		r.Failed = append(r.Failed, Attempt{Entry: before, Err: err})
		if left, _, _ := bls.Tries(before); !counted || left == 0 {
			r.Err = fmt.Errorf("%s: %w", before, ErrForever)
			return r
		}
		if errors.Is(err, errStuck) {
			r.Err = fmt.Errorf("%s: %w", before, err)
			return r
		}
	}
}

// taken tells whether an entry goes by this name.
func taken(candidates []candidate, file string) bool {
	return slices.ContainsFunc(candidates, func(c candidate) bool { return strings.EqualFold(c.entry.File, file) })
}

// choose is the index of the entry that the loader starts.
func choose(candidates []candidate) int {
	first := 0
	for i, c := range candidates {
		if bls.CompareEntries(c.entry, candidates[first].entry) < 0 {
			first = i
		}
	}
	return first
}

// tried is the name that the loader gives an entry before it starts it.
func tried(file string) (string, bool) {
	left, done, counted := bls.Tries(file)
	if !counted {
		return file, false
	}
	stem := file[:strings.LastIndexByte(file, '+')]
	return fmt.Sprintf("%s+%d-%d.efi", stem, max(left-1, 0), done+1), true
}
