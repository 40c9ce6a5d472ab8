//go:build qemu

package qemu

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/scratch"
)

// rowsOfOneMachine bounds a machine's life here: much of a row is waiting for a deadline, which several machines do side by side.
const rowsOfOneMachine = 6

// Every bad update: what is reported, and that the good version serves again. The time that takes is logged, not judged.
func TestFaults(t *testing.T) {
	t.Parallel()
	l := lab(t)
	var lock sync.Mutex
	var results []faults.Result
	lane := func(t *testing.T, name string, rows []faults.Row, start func(context.Context, string, func(string, ...any)) (*faults.Machine, error)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := runRows(t, rows, func(t *testing.T, dir string) (*faults.Machine, error) { return start(t.Context(), dir, t.Logf) })
			lock.Lock()
			defer lock.Unlock()
			results = append(results, done...)
		})
	}
	t.Run("machine", func(t *testing.T) {
		lane(t, "refusing", faults.Refusing(), l.Fenced)
		number := 0
		for rows := range slices.Chunk(faults.Restarting(), rowsOfOneMachine) {
			number++
			lane(t, fmt.Sprintf("restarting %d", number), rows, l.Faulty)
		}
	})
	for _, r := range results {
		t.Logf("%-32s %6.1f s  %s", r.Class, r.Seconds, r.Reason)
	}
}

// runRows runs rows on one machine, and on a new one after each that fails.
func runRows(t *testing.T, rows []faults.Row, start func(*testing.T, string) (*faults.Machine, error)) (results []faults.Result) {
	parent, dir := t, scratch.Dir(t)
	var m *faults.Machine
	end := func() {
		if m != nil {
			m.Close()
		}
		m = nil
	}
	defer end()
	for _, row := range rows {
		t.Run(row.Class, func(t *testing.T) {
			if m == nil {
				var err error
				if m, err = start(parent, dir+"/"+strings.ReplaceAll(row.Class, " ", "-")); err != nil {
					t.Fatal(err)
				}
			}
			result, err := row.Do(t.Context(), m)
			if err != nil {
				t.Errorf("%v\nconsole log: %s\nby hand:     %s", err, m.ConsoleLog(), m.Command)
				end()
				return
			}
			t.Log(result)
			results = append(results, result)
		})
	}
	return results
}
