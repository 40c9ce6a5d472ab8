package boot

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failures
		now := func() []string {
			synctest.Wait()
			list, _ := f.current.Get()
			return list
		}
		f.note("network", errors.New("panic: lost\ngoroutine 1"))
		f.note("clock", errors.New("no"))
		if got := now(); !slices.Equal(got, []string{"manager clock failed: no", "manager network failed: panic: lost"}) {
			t.Errorf("%q", got)
		}
		time.Sleep(backoffMax + steadyAfter - time.Second)
		f.note("clock", errors.New("again"))
		time.Sleep(2 * time.Second)
		if got := now(); !slices.Equal(got, []string{"manager clock failed: again"}) {
			t.Errorf("a manager that failed again was forgotten, or one that runs was not: %q", got)
		}
		time.Sleep(backoffMax + steadyAfter)
		if got := now(); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}
