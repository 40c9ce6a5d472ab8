package health

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
)

func TestTracker(t *testing.T) {
	tests := []struct {
		name      string
		probe     plan.Probe
		readiness bool
		answers   string // one letter each: y or n
		want      string // the verdict after each: Y or N
	}{
		{"ready at the first success", plan.Probe{SuccessThreshold: 1, FailureThreshold: 3}, true, "nny", "NNY"},
		{"two successes in a row", plan.Probe{SuccessThreshold: 2, FailureThreshold: 3}, true, "ynyy", "NNNY"},
		{"three failures in a row", plan.Probe{SuccessThreshold: 1, FailureThreshold: 3}, true, "ynnynnn", "YYYYYYN"},
		{"liveness starts healthy", plan.Probe{SuccessThreshold: 1, FailureThreshold: 2}, false, "nynn", "YYYN"},
		{"zero thresholds count as one", plan.Probe{}, false, "ny", "NY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tracker := NewTracker(tt.probe, tt.readiness)
			var got strings.Builder
			for _, a := range tt.answers {
				var err error
				if a == 'n' {
					err = errors.New("no")
				}
				tracker = tracker.Observe(err)
				got.WriteString(map[bool]string{true: "Y", false: "N"}[tracker.Healthy])
			}
			if got.String() != tt.want {
				t.Errorf("verdicts %s, want %s", got.String(), tt.want)
			}
		})
	}
}

func TestWait(t *testing.T) {
	p := plan.Probe{Period: 5 * time.Second}
	ready, live := NewTracker(p, true), NewTracker(p, false)
	tests := []struct {
		name    string
		tracker Tracker
		age     time.Duration
		want    time.Duration
	}{
		{"readiness asks very fast at first", ready, 0, firstPeriod},
		{"then fast", ready, time.Second, fastPeriod},
		{"but not for ever", ready, 11 * time.Second, 5 * time.Second},
		{"and not after a success", ready.Observe(nil), time.Second, 5 * time.Second},
		{"nor when it was ready once", ready.Observe(nil).Observe(errors.New("no")), time.Second, 5 * time.Second},
		{"liveness keeps its period", live, time.Second, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.tracker.Wait(tt.age); got != tt.want {
				t.Errorf("wait %v, want %v", got, tt.want)
			}
		})
	}
}

// instant is a clock on which waiting takes no time.
type instant struct{ now time.Time }

func (c *instant) Now() time.Time { return c.now }

func (c *instant) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	ch := make(chan time.Time, 1)
	ch <- c.now
	return ch
}

func TestRunReportsChangesOnly(t *testing.T) {
	answers := []error{errors.New("no"), errors.New("no"), nil, nil, errors.New("no"), errors.New("no"), nil}
	ctx, cancel := context.WithCancel(t.Context())
	var got []bool
	ask := func(context.Context) error {
		if len(answers) == 0 {
			cancel()
			return nil
		}
		err := answers[0]
		answers = answers[1:]
		return err
	}
	probe := plan.Probe{SuccessThreshold: 1, FailureThreshold: 2, Period: time.Minute, Timeout: time.Second}
	Run(ctx, &instant{}, NewTracker(probe, true), ask, func(t Tracker) { got = append(got, t.Healthy) })
	if want := []bool{true, false, true}; !equal(got, want) {
		t.Errorf("reports %v, want %v", got, want)
	}
}

func TestRunTellsOnceThatNothingIsReady(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	var got []int
	ask := func(context.Context) error {
		if asked++; asked == 150 {
			cancel()
		}
		return errors.New("no")
	}
	probe := plan.Probe{Period: time.Second, Timeout: time.Second}
	Run(ctx, &instant{}, NewTracker(probe, true), ask, func(Tracker) { got = append(got, asked) })
	// 40 answers in the first second, 90 in the nine that follow: the 131st is the first after 10 s.
	if len(got) != 1 || got[0] != 131 {
		t.Errorf("reports after answers %v, want one after the 131st", got)
	}
}

func equal(a, b []bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestAskHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "http://stele.example.com/", http.StatusFound)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	for path, ok := range map[string]bool{"/": true, "/moved": true, "/broken": false} {
		err := Asker(plan.Probe{HTTP: server.URL + path}, nil)(t.Context())
		if (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAskTCPAndExec(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := Asker(plan.Probe{TCP: address}, nil)(t.Context()); err != nil {
		t.Error(err)
	}
	l.Close()
	if err := Asker(plan.Probe{TCP: address}, nil)(t.Context()); err == nil {
		t.Error("a closed port counts as success")
	}
	exec := func(_ context.Context, command []string) (int, error) { return len(command) - 1, nil }
	if err := Asker(plan.Probe{Exec: []string{"/ok"}}, exec)(t.Context()); err != nil {
		t.Error(err)
	}
	if err := Asker(plan.Probe{Exec: []string{"/bad", "x"}}, exec)(t.Context()); err == nil || !strings.Contains(err.Error(), "exits 1") {
		t.Errorf("error %v does not tell the exit code", err)
	}
}
