package powercut

// prefixes: the writes in their order, up to each.
func (e *explorer) prefixes() error {
	for k := range len(e.w.writes) + 1 {
		if err := e.try(prefix, whole(k, all)); err != nil {
			return err
		}
	}
	return nil
}

// subsets: any choice of whole writes where they are few; else each one missing and each one alone.
func (e *explorer) subsets() error {
	n := len(e.w.writes)
	if n <= e.options.AllSubsets {
		for bits := range 1 << n {
			if err := e.try(subset, whole(n, func(i int) bool { return bits>>i&1 == 1 })); err != nil {
				return err
			}
		}
		return nil
	}
	for k := range n {
		if err := e.try(subset, whole(n, func(i int) bool { return i != k })); err != nil {
			return err
		}
		if err := e.try(subset, whole(n, func(i int) bool { return i == k })); err != nil {
			return err
		}
	}
	return nil
}

// mixes: sectors of all writes of the window at random, few of them, half of them, or nearly all.
func (e *explorer) mixes() error {
	shares := []float64{0.1, 0.5, 0.9}
	for range e.options.MaxReorderings {
		share := shares[e.w.random.IntN(len(shares))]
		upTo := 1 + e.w.random.IntN(len(e.w.writes)) // the power went while this one was on its way
		var c choice
		for i, op := range e.w.writes[:upTo] {
			p := part{write: i, sectors: []int{}}
			for s := range sectorCount(op, e.start.SectorSize()) {
				if e.w.random.Float64() < share {
					p.sectors = append(p.sectors, s)
				}
			}
			c = append(c, p)
		}
		if err := e.try(subset, c); err != nil {
			return err
		}
	}
	return nil
}

func all(int) bool { return true }
