package powercut

import (
	"fmt"
	"math/rand/v2"

	"github.com/stele-os/stele/internal/block"
)

// Options bound what Explore tries. Zero values take the defaults.
type Options struct {
	// Seed chooses the random states.
	Seed uint64
	// AllSubsets: a window of up to so many writes, or a write of up to so many changed sectors, is tried in all subsets. Default 6.
	AllSubsets int
	// MaxReorderings are the random states a window. Default 32.
	MaxReorderings int
	// MaxSectors bounds how many sectors of one write are looked at one by one. Default 8.
	MaxSectors int
	// Torn adds sectors that are half old, half new.
	Torn bool
	// Only visits the state of this number alone, to look into one that failed.
	Only int
}

const (
	defaultAllSubsets     = 6
	defaultMaxReorderings = 32
	defaultMaxSectors     = 8
)

func (o Options) withDefaults() Options {
	if o.AllSubsets == 0 {
		o.AllSubsets = defaultAllSubsets
	}
	if o.MaxReorderings == 0 {
		o.MaxReorderings = defaultMaxReorderings
	}
	if o.MaxSectors == 0 {
		o.MaxSectors = defaultMaxSectors
	}
	return o
}

// Stats are the figures of an exploration. States is the sum of the four kinds; equal disks of one window are counted once, as the kind met first.
type Stats struct {
	Writes, Windows int
	// States were handed to visit: Prefixes are whole writes in order, Subsets whole writes in any choice, Sectors parts of writes, Torn parts of sectors.
	States, Prefixes, Subsets, Sectors, Torn int
	// Same are choices that left a disk already visited.
	Same int
}

func (s Stats) String() string {
	return fmt.Sprintf("%d states after a power cut (%d prefixes, %d subsets, %d part writes, %d torn sectors) of %d writes in %d flush windows; %d choices left the same bytes",
		s.States, s.Prefixes, s.Subsets, s.Sectors, s.Torn, s.Writes, s.Windows, s.Same)
}

// kind of a state, for Stats.
type kind int

const (
	prefix kind = iota
	subset
	sectors
	torn
)

// Explore visits the disks that a power cut may leave of base and log. The first error of visit ends it, with the state in words. base is not changed.
func Explore(base *block.Memory, log Log, options Options, visit func(State) error) (Stats, error) {
	e := &explorer{options: options.withDefaults(), visit: visit, log: log, start: base.Clone(), seed: newHashSeed()}
	for first := 0; first < len(log); {
		last := first
		for last < len(log) && !log[last].Flush() {
			last++
		}
		if err := e.window(first, last); err != nil {
			return e.stats, err
		}
		first = last + 1
	}
	return e.stats, nil
}

// explorer walks over the windows of one log.
type explorer struct {
	options Options
	visit   func(State) error
	log     Log
	// start is the disk at the start of the window.
	start  *block.Memory
	seed   hashSeed
	buffer []byte // of fingerprint
	stats  Stats
	w      window
}

// window is the state of one window's exploration.
type window struct {
	// first is the index in the log of the first write.
	first  int
	writes []Op
	// touched are the sectors that the window writes to.
	touched []int64
	seen    map[uint64]bool
	random  *rand.Rand
}

func (e *explorer) window(first, last int) error {
	writes := e.log[first:last]
	if len(writes) == 0 {
		return nil
	}
	e.w = window{
		first: first, writes: writes, touched: touchedSectors(writes, e.start.SectorSize()), seen: map[uint64]bool{},
		random: rand.New(rand.NewPCG(e.options.Seed, uint64(first))),
	}
	e.stats.Windows++
	e.stats.Writes += len(writes)
	if e.stats.Windows > 1 { // the disk without any of these writes was the last state of the window before
		e.w.seen[e.fingerprint(e.start)] = true
	}
	steps := []func() error{e.prefixes, e.subsets, e.partWrites, e.mixes}
	if e.options.Torn {
		steps = append(steps, e.tornSectors)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return Log(writes).Apply(e.start, len(writes))
}

// try visits what a choice leaves, unless it was visited.
func (e *explorer) try(k kind, c choice) error {
	disk := e.start.Clone()
	if err := c.apply(disk, e.w.writes); err != nil {
		return err
	}
	print := e.fingerprint(disk)
	if e.w.seen[print] {
		e.stats.Same++
		return nil
	}
	e.w.seen[print] = true
	e.stats.States++
	*[]*int{&e.stats.Prefixes, &e.stats.Subsets, &e.stats.Sectors, &e.stats.Torn}[k]++
	if e.options.Only != 0 && e.options.Only != e.stats.States {
		return nil
	}
	s := State{Number: e.stats.States, Disk: disk, Window: e.stats.Windows, first: e.w.first, writes: e.w.writes, choice: c}
	if err := e.visit(s); err != nil {
		return fmt.Errorf("seed %d, state %d, %s: %w", e.options.Seed, s.Number, s, err)
	}
	return nil
}
