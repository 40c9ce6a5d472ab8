package state

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v Value[int]
		go func() {
			for i := range 5 {
				time.Sleep(time.Second)
				v.Set(i)
			}
		}()
		if got, err := v.Wait(t.Context(), func(n int) bool { return n > 2 }); got != 3 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := v.Wait(ctx, func(n int) bool { return n > 9 }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if got, err := v.Wait(ctx, nil); got != 4 || err != nil {
			t.Errorf("what is there is not told after the end: %d, %v", got, err)
		}
	})
}

func TestWaitAny(t *testing.T) {
	closed, open := make(chan struct{}), make(chan struct{})
	close(closed)
	for name, c := range map[string]struct {
		done, change chan struct{}
		timer        <-chan time.Time
		want         bool
	}{
		"done":   {closed, open, nil, false},
		"change": {open, closed, nil, true},
		"timer":  {open, open, time.After(0), true},
	} {
		if got := WaitAny(c.done, []<-chan struct{}{c.change}, c.timer); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
