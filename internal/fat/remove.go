package fat

import (
	"errors"
	"fmt"
)

// Remove removes a file: its entry first, by one byte, then what it took. Clusters that another name of the directory leads to stay.
func (v *Volume) Remove(name string) error {
	if err := v.remove(name); err != nil {
		return fmt.Errorf("cannot remove %q: %w", name, err)
	}
	return nil
}

func (v *Volume) remove(name string) error {
	d, r, err := v.lookup(name)
	if err != nil {
		return err
	}
	var runs []extent
	if r.first != 0 && !shared(scan(d.raw), *r) {
		if runs, err = v.chain(r.first, v.clusters); err != nil {
			runs = nil // whose they are cannot be told: Repair frees what nobody leads to
		}
	}
	if err := v.hide(d, *r); err != nil {
		return err
	}
	if err := errors.Join(v.dropParts(d, r.parts()), v.freeChain(runs)); err != nil {
		return err
	}
	if len(runs) > 0 {
		_, free, err := v.findFree(0)
		if err != nil {
			return err
		}
		if err := v.writeFreeCount(free, runs[0].first); err != nil {
			return err
		}
	}
	if err := v.flush(); err != nil {
		return err
	}
	return v.arrange(d)
}

// shared tells whether another entry begins in the same cluster.
func shared(l listing, r record) bool {
	for _, other := range l.records {
		if other.first == r.first && other.at != r.at {
			return true
		}
	}
	return false
}
