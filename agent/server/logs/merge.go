package logs

import "context"

// ReadMerged is Files.Read over two logs, in the order of their times as far as lines are there to compare.
func ReadMerged(ctx context.Context, q Query, emit func(Entry) error, a, b Files) error {
	surplus, err := surplus(q, a, b)
	if err != nil {
		return err
	}
	left, right := &ahead{cursor: a.Cursor(q)}, &ahead{cursor: b.Cursor(q)}
	defer left.cursor.Close()
	defer right.cursor.Close()
	for {
		first, err := earlierOf(left, right)
		switch {
		case err != nil:
			return err
		case first != nil:
			first.ok = false
			if surplus > 0 {
				surplus--
				continue
			}
			if err := pass(ctx, q, first.entry, emit); err != nil {
				return err
			}
		case !q.Follow:
			return nil
		default:
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
}

// ahead is a cursor and the entry that it has read already.
type ahead struct {
	cursor *Cursor
	entry  Entry
	ok     bool
}

func (a *ahead) fill() (err error) {
	if !a.ok {
		a.entry, a.ok, err = a.cursor.Next()
	}
	return err
}

// earlierOf returns the one whose entry comes first, nil where neither has one.
func earlierOf(left, right *ahead) (*ahead, error) {
	if err := left.fill(); err != nil {
		return nil, err
	}
	if err := right.fill(); err != nil {
		return nil, err
	}
	switch {
	case left.ok && (!right.ok || !right.entry.Time.Before(left.entry.Time)):
		return left, nil
	case right.ok:
		return right, nil
	}
	return nil, nil
}

// surplus is how many lines the tails of both have too many, so that the earliest ones are left out.
func surplus(q Query, both ...Files) (int, error) {
	if q.Tail == 0 {
		return 0, nil
	}
	found := 0
	for _, f := range both {
		c := f.Cursor(q)
		for {
			_, ok, err := c.Next()
			if err != nil {
				c.Close()
				return 0, err
			}
			if !ok {
				break
			}
			found++
		}
		c.Close()
	}
	return max(0, found-q.Tail), nil
}
