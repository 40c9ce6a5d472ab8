package network

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSessionLife plays lives of a lease of 24 h: T1 after 12 h, T2 after 21 h. Each word is an answer to the step that is due:
// "yes" a lease, "no" a refusal, "-" silence, "back" the carrier returned before the step was due.
func TestSessionLife(t *testing.T) {
	for name, c := range map[string]struct {
		answers string
		want    string // what was done when, since the start
	}{
		"lease renews for ever":     {"yes yes yes", "acquire@0s renew@12h0m0s renew@24h0m0s renew@36h0m0s"},
		"first packet lost":         {"- yes", "acquire@0s acquire@1m5s renew@12h1m5s"},
		"nobody there":              {"- - - - - - - -", "acquire@0s acquire@1m5s acquire@2m11s acquire@3m19s acquire@4m31s acquire@5m51s acquire@7m27s acquire@9m35s acquire@11m43s"},
		"refused at once":           {"no no yes", "acquire@0s acquire@1s acquire@3s renew@12h0m3s"},
		"refused at renewal":        {"yes no yes", "acquire@0s renew@12h0m0s acquire@12h0m1s renew@24h0m1s"},
		"server away for an hour":   {"yes - yes", "acquire@0s renew@12h0m0s renew@16h30m5s renew@28h30m5s"},
		"server gone, another one":  {"yes - - - - yes", "acquire@0s renew@12h0m0s renew@16h30m5s renew@18h45m7.5s renew@19h52m38.75s renew@20h26m24.375s renew@32h26m24.375s"},
		"carrier came back":         {"yes back yes", "acquire@0s rebind@1h0m0s renew@13h0m0s"},
		"carrier on other network":  {"yes back no yes", "acquire@0s rebind@1h0m0s acquire@1h0m1s renew@13h0m1s"},
		"carrier back, no answer":   {"yes back - yes", "acquire@0s rebind@1h0m0s renew@12h0m0s renew@24h0m0s"},
		"carrier back while asking": {"- back yes", "acquire@0s acquire@1h1m4s renew@13h1m4s"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := play(strings.Fields(c.answers)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// play drives a session the way runner does, with a clock that jumps.
func play(answers []string) string {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	var s session
	var done []string
	note := func(n step) { done = append(done, fmt.Sprintf("%s@%s", n.action, n.at.Sub(start))) }
	for _, a := range answers {
		if a == "back" {
			now = now.Add(time.Hour)
			s = s.returned()
			continue
		}
		n := s.next(now)
		note(n)
		now = n.at
		switch a {
		case "yes":
			l := Lease{Address: pfx("192.0.2.10/24"), Start: now}
			l.timers(0, 0, 24*time.Hour)
			s = s.granted(l)
		case "no":
			s = s.refused(now)
		case "-":
			now = n.until
			s = s.silent(now)
		}
	}
	note(s.next(now))
	return strings.Join(done, " ")
}

// TestSessionEnds: with nobody answering, the lease is given up exactly at its end, after renewals and rebindings that come closer
// together but never closer than a minute.
func TestSessionEnds(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := Lease{Start: start}
	l.timers(0, 0, time.Hour)
	s := session{}.granted(l)
	now, last := start, start
	var actions []action
	for range 100 {
		n := s.next(now)
		actions = append(actions, n.action)
		if n.action == expire {
			if n.at != start.Add(time.Hour) {
				t.Fatalf("expired at %s", n.at.Sub(start))
			}
			if !slices.Contains(actions, renew) || !slices.Contains(actions, rebind) {
				t.Fatalf("actions %v", actions)
			}
			if next := s.ended().next(n.at); next.action != acquire || next.at != n.at {
				t.Fatalf("after the end: %+v", next)
			}
			return
		}
		if n.at.Sub(last) < renewEvery && n.action == actions[max(len(actions)-2, 0)] {
			t.Fatalf("%s after %s", n.action, n.at.Sub(last))
		}
		last, now = n.at, n.until
		s = s.silent(now)
	}
	t.Fatal("never expired")
}

func TestTimers(t *testing.T) {
	h := time.Hour
	for name, c := range map[string]struct{ renew, rebind, expiry, wantRenew, wantRebind time.Duration }{
		"none given":       {0, 0, 8 * h, 4 * h, 7 * h},
		"given":            {h, 2 * h, 8 * h, h, 2 * h},
		"T2 after the end": {h, 9 * h, 8 * h, h, 7 * h},
		"T1 after T2":      {7 * h, 2 * h, 8 * h, 2 * h, 2 * h},
	} {
		var l Lease
		l.timers(c.renew, c.rebind, c.expiry)
		if l.Renew != c.wantRenew || l.Rebind != c.wantRebind || l.Expiry != c.expiry {
			t.Errorf("%s: T1 %s, T2 %s, end %s", name, l.Renew, l.Rebind, l.Expiry)
		}
	}
}
