package clock

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

var (
	built = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	truth = time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)
)

// fakeClock is a clock with state.
type fakeClock struct {
	now       time.Time
	steps     int
	slews     int
	rtcWrites int
	stepErr   error
}

func (f *fakeClock) Now() time.Time { return f.now }
func (f *fakeClock) Step(d time.Duration) error {
	if f.stepErr != nil {
		return f.stepErr
	}
	f.now, f.steps = f.now.Add(d), f.steps+1
	return nil
}
func (f *fakeClock) Slew(d time.Duration) error {
	f.now, f.slews = f.now.Add(d), f.slews+1
	return nil
}
func (f *fakeClock) WriteRTC() error { f.rtcWrites++; return nil }

// servers answers with the time each server believes in; a missing one does not answer.
func servers(c *fakeClock, believe map[string]time.Time) func(context.Context, string) (Answer, error) {
	return func(_ context.Context, server string) (Answer, error) {
		t, ok := believe[server]
		if !ok {
			return Answer{}, errors.New("timeout")
		}
		return Answer{Server: server, Offset: t.Sub(c.now)}, nil
	}
}

func TestFloor(t *testing.T) {
	for name, c := range map[string]struct {
		now, want time.Time
		moved     bool
	}{
		"dead battery":     {time.Unix(0, 0), built, true},
		"one second short": {built.Add(-time.Second), built, true},
		"build time":       {built, built, false},
		"plausible":        {truth, truth, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeClock{now: c.now}
			moved, err := floor(f, built)
			if err != nil || moved != c.moved || !f.now.Equal(c.want) {
				t.Fatalf("moved=%v now=%v err=%v", moved, f.now, err)
			}
		})
	}
	_, err := floor(&fakeClock{now: time.Unix(0, 0), stepErr: errors.New("operation not permitted")}, built)
	if err == nil || !strings.Contains(err.Error(), `cannot set the clock to the image's build time "2026-11-01T00:00:00Z"`) {
		t.Fatal(err)
	}
}

func TestRound(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		now     time.Time
		believe map[string]time.Time
		synced  bool
		result  result
		want    time.Time
		err     string
	}{
		"first answer steps even by a little": {truth.Add(-time.Millisecond), map[string]time.Time{"a": truth}, false, stepped, truth, ""},
		"later a small offset is slewed":      {truth.Add(-128 * time.Millisecond), map[string]time.Time{"a": truth}, true, slewed, truth, ""},
		"later a large offset steps":          {truth.Add(-129 * time.Millisecond), map[string]time.Time{"a": truth}, true, stepped, truth, ""},
		"clock ahead":                         {truth.Add(day), map[string]time.Time{"a": truth}, false, stepped, truth, ""},
		"one liar of three":                   {built, map[string]time.Time{"a": truth.Add(900 * day), "b": truth, "c": truth}, false, stepped, truth, ""},
		"one silent":                          {built, map[string]time.Time{"b": truth}, false, stepped, truth, ""},
		"before the build time":               {truth, map[string]time.Time{"a": built.Add(-1)}, false, failed, truth, "before the image's build time"},
		"nobody":                              {truth, nil, false, failed, truth, `cannot take the time from "a": timeout`},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeClock{now: c.now}
			o := Options{BuildTime: built, System: f, Query: servers(f, c.believe)}
			status, r := o.round(t.Context(), []string{"a", "b", "c"}, c.synced)
			if r != c.result || !f.now.Equal(c.want) {
				t.Fatalf("result %v, clock %v, want %v, %v", r, f.now, c.result, c.want)
			}
			if status.Synchronised != (r != failed) || !strings.Contains(status.Error, c.err) {
				t.Fatalf("status %+v", status)
			}
			if f.rtcWrites != f.steps {
				t.Fatalf("%d steps, but the hardware clock was written %d times", f.steps, f.rtcWrites)
			}
		})
	}
}

func TestPollGrows(t *testing.T) {
	p := poll{}
	var got []time.Duration
	for _, r := range []result{failed, failed, failed, stepped, slewed, slewed, failed, failed, slewed, slewed, stepped} {
		p = p.after(r)
		got = append(got, p.interval/time.Second)
	}
	want := []time.Duration{1, 2, 4, 64, 128, 256, 1, 2, 64, 128, 64}
	if !slices.Equal(got, want) {
		t.Fatalf("intervals %v, want %v", got, want)
	}
	for range 20 {
		p = p.after(slewed)
	}
	if p.interval != pollMax {
		t.Fatalf("interval %v, want %v", p.interval, pollMax)
	}
}

func TestRunFollowsTheState(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m, f := &state.Machine{}, &fakeClock{now: built}
	rest := make(chan time.Time)
	o := Options{BuildTime: built, System: f, Query: servers(f, map[string]time.Time{"dhcp": truth, "plan": truth.Add(time.Hour)}),
		After: func(time.Duration) <-chan time.Time { return rest }}
	done := make(chan error)
	go func() { done <- Run(ctx, m, o) }()

	expect(t, m, func(c state.Clock) bool { return c.Error == "the network is not up" })
	m.Network.Set(state.Network{Online: true})
	expect(t, m, func(c state.Clock) bool { return !c.Synchronised && strings.HasPrefix(c.Error, "no time servers") })
	m.Network.Set(state.Network{Online: true, NTPServers: []string{"dhcp"}})
	expect(t, m, func(c state.Clock) bool { return c.Synchronised && c.Server == "dhcp" })
	m.Network.Set(state.Network{})
	m.Network.Set(state.Network{Online: true, NTPServers: []string{"dhcp"}})
	if c, _ := m.Clock.Get(); !c.Synchronised {
		t.Fatalf("lost with the network: %+v", c)
	}
	m.Desired.Set(plan.Desired{Time: plan.Time{Servers: []string{"plan"}}})
	expect(t, m, func(c state.Clock) bool { return c.Synchronised && c.Server == "plan" })

	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !f.now.Equal(truth.Add(time.Hour)) {
		t.Fatalf("clock %v", f.now)
	}
}

// expect waits until the published clock satisfies ok.
func expect(t *testing.T, m *state.Machine, ok func(state.Clock) bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		c, _, changed := m.Clock.Watch()
		if ok(c) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("clock stays %+v", c)
		}
	}
}
