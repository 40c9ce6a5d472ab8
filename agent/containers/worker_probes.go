package containers

import (
	"context"

	"github.com/stele-os/stele/agent/health"
)

func (w *worker) askReadiness(ctx context.Context, t task) {
	p := w.spec.Container.Readiness
	if p == nil {
		return
	}
	health.Run(ctx, w.m.options.Clock, health.NewTracker(*p, true), health.Asker(*p, t.Exec), func(r health.Tracker) {
		w.mu.Lock()
		w.ready, w.unwell = r.Healthy, ""
		if !r.Healthy && r.Err != nil {
			w.unwell = "not ready: " + r.Err.Error()
		}
		w.mu.Unlock()
		w.publish()
	})
}

func (w *worker) askLiveness(ctx context.Context, t task, failed chan<- error) {
	p := w.spec.Container.Liveness
	if p == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	health.Run(ctx, w.m.options.Clock, health.NewTracker(*p, false), health.Asker(*p, t.Exec), func(r health.Tracker) {
		if !r.Healthy {
			failed <- r.Err
			cancel()
		}
	})
}
