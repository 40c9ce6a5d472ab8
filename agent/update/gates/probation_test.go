package gates

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/state"
)

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	terms = Terms{Probation: 30 * time.Second, Deadline: 300 * time.Second}
)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func gate(name, condition string, since int) state.Gate {
	g := state.Gate{Name: name, State: condition, Since: at(since)}
	if condition != Held {
		g.Reason = name + " is not well"
	}
	return g
}

func TestProbation(t *testing.T) {
	type look struct {
		at    int
		gates []state.Gate
	}
	web := func(condition string, since int) []state.Gate {
		return []state.Gate{gate("container web", condition, since)}
	}
	word := func(since int, condition string, given int) []state.Gate {
		return append(web(Held, since), gate(Confirmation, condition, given))
	}
	tests := []struct {
		name  string
		looks []look
		want  string // the last verdict
	}{
		{"held for the time", []look{{10, web(Held, 10)}, {40, web(Held, 10)}}, "commit"},
		{"held not long enough", []look{{10, web(Held, 10)}, {39, web(Held, 10)}}, "wait until 40"},
		{"nothing to hold yet", []look{{10, nil}, {50, nil}}, "wait until 300"},
		{"a fall resets the hold", []look{{10, web(Held, 10)}, {30, web(Waiting, 30)}, {31, web(Held, 31)}, {50, web(Held, 31)}}, "wait until 61"},
		{"an unseen fall does, too", []look{{10, web(Held, 10)}, {50, web(Held, 35)}}, "wait until 65"},
		{"deadline", []look{{10, web(Waiting, 10)}, {300, web(Waiting, 10)}}, "reject: container web is not well"},
		{"deadline within the hold", []look{{290, web(Held, 290)}, {300, web(Held, 290)}}, "reject: its gates held for 10s only, not for 30s"},
		{"the hold is over at the deadline", []look{{270, web(Held, 270)}, {300, web(Held, 270)}}, "commit"},
		{"no look before the deadline when the hold would be too late", []look{{290, web(Held, 290)}}, "wait until 300"},
		{"final", []look{{10, web(Failed, 10)}}, "reject: container web is not well"},
		{"confirmation is awaited", []look{{10, word(10, Waiting, 10)}, {60, word(10, Waiting, 10)}}, "wait until 300"},
		{"confirmation after the hold", []look{{10, word(10, Waiting, 10)}, {60, word(10, Held, 60)}}, "commit"},
		{"confirmation before the hold", []look{{10, word(10, Held, 5)}, {40, word(10, Held, 5)}}, "commit"},
		{"no confirmation", []look{{10, word(10, Waiting, 10)}, {300, word(10, Waiting, 10)}}, "reject: confirmation is not well"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := NewProbation(start)
			var v Verdict
			for _, l := range tt.looks {
				p, v = p.Observe(at(l.at), l.gates, terms)
			}
			if got := print(v); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !v.Deadline.Equal(at(300)) {
				t.Errorf("deadline %v", v.Deadline)
			}
		})
	}
}

func TestProbationWithoutAWayBack(t *testing.T) {
	endless := Terms{Probation: 30 * time.Second, Deadline: 300 * time.Second, Endless: true}
	p := NewProbation(start)
	for _, l := range []struct {
		at        int
		condition string
		since     int
		want      Verdict
	}{
		{10, Waiting, 10, Verdict{Decision: Wait}},
		{1000, Failed, 1000, Verdict{Decision: Wait}},
		{2000, Held, 2000, Verdict{Decision: Wait, Next: at(2030)}},
		{2030, Held, 2000, Verdict{Decision: Commit}},
	} {
		var v Verdict
		if p, v = p.Observe(at(l.at), []state.Gate{gate("container web", l.condition, l.since)}, endless); v != l.want {
			t.Errorf("at %d: %+v, want %+v", l.at, v, l.want)
		}
	}
}

func print(v Verdict) string {
	switch v.Decision {
	case Wait:
		return fmt.Sprintf("wait until %d", int(v.Next.Sub(start).Seconds()))
	case Reject:
		return "reject: " + v.Reason
	}
	return string(v.Decision)
}

// walk takes a probation through random gates with random pauses, looking when Next says so at the latest, and returns what was seen.
func walk(random *rand.Rand, t Terms) (v Verdict, end time.Time, sinceHeld time.Time) {
	p, now := NewProbation(start), start
	names := []string{"settled", "container web", "http shop", Confirmation}[:1+random.IntN(4)]
	calm := random.Float64() // how seldom gates change
	gates := make([]state.Gate, len(names))
	for i, name := range names {
		gates[i] = gate(name, Waiting, 0)
	}
	for {
		for i := range gates {
			if random.Float64() > calm {
				condition := []string{Held, Held, Held, Waiting}[random.IntN(4)]
				if gates[i].State != condition || random.IntN(20) == 0 { // the latter: a restart that nobody saw
					gates[i] = gate(names[i], condition, 0)
					gates[i].Since = now
				}
			}
		}
		sinceHeld = healthySince(gates, sinceHeld, now)
		if p, v = p.Observe(now, gates, t); v.Decision != Wait {
			return v, now, sinceHeld
		}
		pause := time.Duration(1+random.IntN(20_000)) * time.Millisecond
		now = now.Add(min(pause, v.Next.Sub(now)))
	}
}

// healthySince says in the plainest way since when all gates but the confirmation hold; zero: they do not.
func healthySince(gates []state.Gate, before, now time.Time) time.Time {
	since := before
	if since.IsZero() {
		since = now
	}
	for _, g := range gates {
		switch {
		case g.Name == Confirmation:
		case g.State != Held:
			return time.Time{}
		case g.Since.After(since):
			since = g.Since
		}
	}
	return since
}

func TestProbationNeverCommitsTooEarly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	commits := 0
	for range 5000 {
		v, end, held := walk(random, terms)
		if v.Decision != Commit {
			continue
		}
		commits++
		if held.IsZero() || end.Sub(held) < terms.Probation {
			t.Fatalf("committed %v after the start, held since %v", end.Sub(start), held.Sub(start))
		}
	}
	if commits < 100 {
		t.Errorf("only %d walks committed: this proves little", commits)
	}
}

func TestProbationEnds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	rejects := 0
	for range 5000 {
		v, end, _ := walk(random, terms)
		if end.After(at(300)) {
			t.Fatalf("the verdict came %v after the start", end.Sub(start))
		}
		if v.Decision != Reject {
			continue
		}
		rejects++
		if strings.TrimSpace(v.Reason) == "" {
			t.Fatal("rejected without a reason")
		}
	}
	if rejects < 100 {
		t.Errorf("only %d walks were rejected: this proves little", rejects)
	}
}
