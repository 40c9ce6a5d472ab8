package server

import (
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	now := time.Unix(1000, 0)
	b := newBudget(func() time.Time { return now }, 3, time.Minute)
	take := func() (n int) {
		for {
			ok, _ := b.take()
			if !ok {
				return n
			}
			n++
		}
	}
	for _, tt := range []struct {
		name  string
		later time.Duration
		want  int
	}{{"the burst", 0, 3}, {"at once", 0, 0}, {"after a period", time.Minute, 1}, {"after two and a half", 150 * time.Second, 2},
		{"after years", 1 << 62, 3}, {"the clock is set back", -1 << 62, 1}} {
		now = now.Add(tt.later)
		if got := take(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	now = now.Add(time.Minute)
	if ok, missed := b.take(); !ok || missed != 1 {
		t.Errorf("%t, %d missed", ok, missed)
	}
}

func TestOwn(t *testing.T) {
	for remote, want := range map[string]bool{"127.0.0.1:5": true, "[::1]:5": true, "[::ffff:127.0.0.1]:5": true, "192.0.2.1:5": false, "": false} {
		if own(remote) != want {
			t.Errorf("%q: %t", remote, !want)
		}
	}
}
