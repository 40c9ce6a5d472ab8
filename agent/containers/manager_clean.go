package containers

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/state"
)

const orphanDelay = 10 * time.Second

// clean removes what nobody wants any more: containers of an earlier document, and much later their images. It waits until a document
// is in force: at boot the desired state is empty, and that must not end anything.
func (m *manager) clean(ctx context.Context) {
	for {
		desired, ok, changed := m.machine.Desired.Watch()
		document, _, documentChanged := m.machine.Document.Watch()
		inForce := document.Phase == state.DocumentApplied || document.Phase == state.DocumentLastGood
		if ok && inForce {
			specs := specify(desired)
			if sleepUnless(ctx, changed, m.options.Clock, orphanDelay) {
				m.removeOrphans(ctx)
			}
			if sleepUnless(ctx, changed, m.options.Clock, m.options.ImageRetention) {
				if err := m.engine.CollectImages(ctx, pulledImages(specs)); err != nil && ctx.Err() == nil {
					m.options.Logf("cannot remove unused images: %v", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-documentChanged:
		}
	}
}

func (m *manager) removeOrphans(ctx context.Context) {
	names, err := m.engine.List(ctx)
	if err != nil {
		return
	}
	for _, name := range names {
		if !m.orphan(name) {
			continue
		}
		if err := m.engine.Remove(ctx, name); err != nil && ctx.Err() == nil {
			m.options.Logf("cannot remove container %q: %v", name, err)
		}
	}
}

// sleepUnless waits and tells whether the time passed without the change and without the end of the context.
func sleepUnless(ctx context.Context, changed <-chan struct{}, clock Clock, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-changed:
		return false
	case <-clock.After(d):
		return true
	}
}
