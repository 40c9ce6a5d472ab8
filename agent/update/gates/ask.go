package gates

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/health"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

const (
	// apiPeriod and apiTimeout are for the machine's own API server. It records each connection that shows no certificate, as these do: few will do.
	apiPeriod  = 15 * time.Second
	apiTimeout = 5 * time.Second
	// firstPeriod is for every question until its first success: a machine that is about to be ready is asked more often.
	firstPeriod = time.Second
)

// question is asked again and again. Two with the same key are the same; name is that of a check, empty for the API.
type question struct {
	key, name       string
	period, timeout time.Duration
	ask             func(context.Context) error
}

// questions of a machine as it is: the API once its port is bound, and the document's checks.
func (o Options) questions(in Input) []question {
	var list []question
	if in.Desired.API.Port != 0 && in.API.Port == in.Desired.API.Port {
		list = append(list, question{
			key:    fmt.Sprintf("api %d %s", in.API.Port, in.API.Fingerprint),
			period: apiPeriod, timeout: apiTimeout,
			ask: func(ctx context.Context) error { return o.askAPI(ctx, in.API) },
		})
	}
	for _, c := range in.Desired.Update.Checks {
		list = append(list, question{key: fmt.Sprintf("check %+v", c), name: c.Name, period: c.Period, timeout: c.Timeout, ask: o.asker(c)})
	}
	return list
}

func (o Options) asker(c plan.Check) func(context.Context) error {
	if c.HTTP != "" {
		return func(ctx context.Context) error { return o.askHTTP(ctx, c.HTTP) }
	}
	return health.Asker(plan.Probe{Exec: c.Exec}, func(ctx context.Context, command []string) (int, error) {
		if o.Exec == nil {
			return 0, errors.New("this machine runs no commands in containers")
		}
		return o.Exec(ctx, c.Container, command)
	})
}

// askHTTP is the readiness probes' question: no redirect is followed, and little of the answer is read.
func askHTTP(ctx context.Context, url string) error {
	return health.Asker(plan.Probe{HTTP: url}, nil)(ctx)
}

// asking owns one goroutine for each question that is wanted.
type asking struct {
	running sync.WaitGroup
	wanted  map[string]wanted
	given   state.Value[map[string]Answer] // by key
}

type wanted struct {
	question
	cancel context.CancelFunc
}

// want starts the questions that are new and ends those that are no longer wanted.
func (a *asking) want(ctx context.Context, list []question) {
	current := map[string]bool{}
	for _, q := range list {
		current[q.key] = true
		if _, ok := a.wanted[q.key]; ok {
			continue
		}
		asking, cancel := context.WithCancel(ctx)
		a.wanted[q.key] = wanted{q, cancel}
		a.running.Go(func() { a.askOn(asking, q) })
	}
	for key, w := range a.wanted {
		if !current[key] {
			w.cancel()
			delete(a.wanted, key)
			a.note(func(m map[string]Answer) { delete(m, key) })
		}
	}
}

// askOn asks until ctx ends.
func (a *asking) askOn(ctx context.Context, q question) {
	for period := min(firstPeriod, q.period); ; {
		err := askOnce(ctx, q)
		if ctx.Err() != nil {
			return
		}
		a.note(func(m map[string]Answer) {
			if ctx.Err() == nil { // else the answer is not wanted any more, and must not outlive its question
				m[q.key] = Answer{err}
			}
		})
		if err == nil {
			period = q.period
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(period):
		}
	}
}

// note publishes the answers as f has changed them.
func (a *asking) note(f func(map[string]Answer)) {
	a.given.Update(func(before map[string]Answer) map[string]Answer {
		next := map[string]Answer{}
		maps.Copy(next, before)
		f(next)
		return next
	})
}

func askOnce(ctx context.Context, q question) error {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	return q.ask(ctx)
}

// answers to the questions that are wanted now, and changes with the channel that tells of new ones.
func (a *asking) answers(changes []<-chan struct{}) (serving *Answer, checks map[string]Answer, _ []<-chan struct{}) {
	given, _ := watch(&a.given, &changes)
	checks = map[string]Answer{}
	for key, w := range a.wanted {
		answer, ok := given[key]
		switch {
		case !ok:
		case w.name == "":
			serving = &answer
		default:
			checks[w.name] = answer
		}
	}
	return serving, checks, changes
}

// stop ends all questions and waits until they have ended.
func (a *asking) stop() {
	for _, w := range a.wanted {
		w.cancel()
	}
	a.running.Wait()
}
