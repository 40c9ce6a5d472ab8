package gates

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// world is a machine on probation, whose time is that of testing/synctest.
type world struct {
	machine      state.Machine
	confirmation state.Value[string]
	failures     state.Value[[]string]
	endless      bool
	before       Terms
	started      time.Time

	mu    sync.Mutex
	wrong map[string]error // of checks and the API
	lines []string         // what was published
	asked map[string]int
}

func newWorld() *world {
	w := &world{started: time.Now(), wrong: map[string]error{}, asked: map[string]int{}}
	in := healthy()
	in.Desired.Update.RequireConfirmation = false
	in.Desired.Update.Probation, in.Desired.Update.Deadline = 30*time.Second, 300*time.Second
	for i := range in.Desired.Update.Checks {
		in.Desired.Update.Checks[i].Period, in.Desired.Update.Checks[i].Timeout = 5*time.Second, 2*time.Second
	}
	w.machine.Desired.Set(in.Desired)
	w.machine.Document.Set(in.Document)
	w.machine.Network.Set(in.Network)
	w.machine.Storage.Set(*in.Storage)
	w.machine.Runtime.Set(in.Runtime)
	w.machine.Containers.Set(in.Containers)
	w.machine.API.Set(in.API)
	return w
}

func (w *world) answer(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[name]++
	return w.wrong[name]
}

func (w *world) set(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong[name] = err
}

func (w *world) desire(change func(*plan.Desired)) {
	desired, _ := w.machine.Desired.Get()
	change(&desired)
	w.machine.Desired.Set(desired)
}

func (w *world) publish(gates []state.Gate, deadline time.Time) {
	held := 0
	var others []string
	for _, g := range gates {
		if g.State == Held {
			held++
		} else {
			others = append(others, g.Name+" "+g.State)
		}
	}
	w.lines = append(w.lines, fmt.Sprintf("%v: %d held %s, deadline %v", time.Since(w.started), held, strings.Join(others, ", "), deadline.Sub(w.started)))
}

// verdict runs a probation to its end and says when that came.
func (w *world) verdict(t *testing.T) string {
	t.Helper()
	v, err := Run(t.Context(), Options{
		Machine: &w.machine, Started: w.started, HasDisk: true, Confirmation: &w.confirmation, Failures: &w.failures, Publish: w.publish,
		Endless: w.endless, Before: w.before,
		Exec: func(_ context.Context, container string, command []string) (int, error) {
			if container != "web" || command[0] != "/smoke" {
				t.Errorf("asked for %q in %q", command, container)
			}
			if w.answer("smoke") != nil {
				return 3, nil
			}
			return 0, nil
		},
		askHTTP: func(_ context.Context, url string) error { return w.answer("shop") },
		askAPI:  func(context.Context, state.API) error { return w.answer("api") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s at %v %s", v.Decision, time.Since(w.started), v.Reason)
}

func TestRun(t *testing.T) {
	tests := []struct {
		name  string
		story func(*world)
		want  string
	}{
		{"healthy from the start", func(*world) {}, "commit at 30s "},
		{"ready after a while", func(w *world) {
			ready, _ := w.machine.Containers.Get()
			w.machine.Containers.Set(nil)
			go func() { time.Sleep(20 * time.Second); w.machine.Containers.Set(ready) }()
		}, "commit at 50s "},
		{"a check falls on the way", func(w *world) {
			go func() {
				time.Sleep(12 * time.Second)
				w.set("shop", errors.New("answers 500"))
				time.Sleep(10 * time.Second)
				w.set("shop", nil)
			}()
		}, "commit at 55s "}, // asked every 5 s: wrong at 15, right again at 25
		{"a command fails for good", func(w *world) { w.set("smoke", errors.New("no")) },
			`reject at 5m0s check smoke failed: ["/smoke"] exits 3`},
		{"the API does not answer", func(w *world) { w.set("api", errors.New("connection refused")) },
			"reject at 5m0s the API does not serve: connection refused"},
		{"the document gives other terms", func(w *world) {
			go func() {
				time.Sleep(2 * time.Second)
				w.desire(func(d *plan.Desired) { d.Update.Probation, d.Update.Deadline = 5*time.Second, 10*time.Second })
			}()
		}, "commit at 5s "},
		{"the terms before there is a document", func(w *world) {
			w.before = Terms{Probation: 8 * time.Second, Deadline: 40 * time.Second}
			w.machine.Document.Set(state.Document{Phase: state.DocumentWaiting})
		}, "reject at 40s no source of the document has answered yet"},
		{"a shorter deadline is over at once", func(w *world) {
			w.set("shop", errors.New("answers 500"))
			go func() {
				time.Sleep(20 * time.Second)
				w.desire(func(d *plan.Desired) { d.Update.Probation, d.Update.Deadline = 5*time.Second, 10*time.Second })
			}()
		}, "reject at 20s check shop failed: answers 500"},
		{"a check leaves the document", func(w *world) {
			w.set("shop", errors.New("answers 500"))
			go func() {
				time.Sleep(20 * time.Second)
				w.desire(func(d *plan.Desired) { d.Update.Checks = nil })
			}()
		}, "commit at 50s "},
		{"confirmed late", func(w *world) {
			w.desire(func(d *plan.Desired) { d.Update.RequireConfirmation = true })
			go func() { time.Sleep(99 * time.Second); w.confirmation.Set("CN=alice") }()
		}, "commit at 1m39s "},
		{"confirmed early", func(w *world) {
			w.desire(func(d *plan.Desired) { d.Update.RequireConfirmation = true })
			w.confirmation.Set("CN=alice")
		}, "commit at 30s "},
		{"not confirmed", func(w *world) { w.desire(func(d *plan.Desired) { d.Update.RequireConfirmation = true }) },
			"reject at 5m0s nobody has confirmed the version yet"},
		{"something of the agent fails", func(w *world) {
			go func() { time.Sleep(10 * time.Second); w.failures.Set([]string{"clock: it returned"}) }()
		}, "reject at 5m0s clock: it returned"},
		{"there is no version to go back to", func(w *world) {
			w.endless = true
			w.set("shop", errors.New("answers 500"))
			go func() { time.Sleep(time.Hour - time.Second/2); w.set("shop", nil) }()
		}, "commit at 1h0m30s "},
		{"/var is lost", func(w *world) { w.machine.Storage.Set(state.Storage{Error: "input/output error"}) },
			"reject at 0s /var is not on the disk: input/output error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				tt.story(w)
				if got := w.verdict(t); got != tt.want {
					t.Errorf("%q, want %q\n%s", got, tt.want, strings.Join(w.lines, "\n"))
				}
			})
		})
	}
}

func TestRunPublishesChangesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		go func() {
			time.Sleep(10 * time.Second)
			w.machine.Clock.Set(state.Clock{Synchronised: true})
			w.machine.Network.Set(state.Network{Online: true, Hostname: "other"})
		}()
		w.verdict(t)
		want := "0s: 5 held api waiting, http shop waiting, exec smoke waiting, deadline 5m0s"
		last := "0s: 8 held , deadline 5m0s"
		if len(w.lines) > 4 || w.lines[0] != want || w.lines[len(w.lines)-1] != last { // three answers, in whatever order
			t.Errorf("published:\n%s", strings.Join(w.lines, "\n"))
		}
		if w.asked["api"] < 2 || w.asked["api"] > 3 {
			t.Errorf("the API was asked %d times", w.asked["api"])
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		_, err := Run(ctx, Options{
			Machine: &w.machine, Started: w.started, Publish: w.publish,
			askHTTP: func(ctx context.Context, _ string) error { return hang(ctx) },
			askAPI:  func(ctx context.Context, _ state.API) error { return hang(ctx) },
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
