//go:build qemu

package qemu

import (
	"strings"
	"testing"

	"github.com/stele-os/stele/test/faults"
)

// Every bad update: what is reported, and that the good version serves again. The time that takes is logged, not judged.
func TestFaults(t *testing.T) {
	l := lab(t)
	var results []faults.Result
	t.Run("refusing", func(t *testing.T) {
		results = append(results, runRows(t, faults.Refusing(), func(t *testing.T, dir string) (*faults.Machine, error) {
			return l.Fenced(t.Context(), dir, t.Logf)
		})...)
	})
	t.Run("restarting", func(t *testing.T) {
		results = append(results, runRows(t, faults.Restarting(), func(t *testing.T, dir string) (*faults.Machine, error) {
			return l.Faulty(t.Context(), dir, t.Logf)
		})...)
	})
	for _, r := range results {
		t.Logf("%-32s %6.1f s  %s", r.Class, r.Seconds, r.Reason)
	}
}

// runRows runs rows on one machine, and on a new one after each that fails.
func runRows(t *testing.T, rows []faults.Row, start func(*testing.T, string) (*faults.Machine, error)) (results []faults.Result) {
	parent, dir := t, directory(t)
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
