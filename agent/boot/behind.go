package boot

import (
	"context"
	"slices"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// behindLimit is how long a manager stands back at most: who looks after a machine whose containers do not start needs it, too.
const behindLimit = 10 * time.Second

// behindContainers lets the first start of the document's containers go first: on a machine with few processors, the keys and handlers that a manager
// makes when it starts would be paid for with the time to the first answer.
func (a *agent) behindContainers(run func(context.Context) error) func(context.Context) error {
	over := make(chan struct{})
	time.AfterFunc(behindLimit, func() { close(over) })
	return func(ctx context.Context) error {
		for {
			document, _, documentChanged := a.machine.Document.Watch()
			desired, _ := a.machine.Desired.Get()
			list, _, listChanged := a.machine.Containers.Watch()
			if begun(document.Phase, len(desired.Containers), list) {
				return run(ctx)
			}
			select {
			case <-documentChanged:
			case <-listChanged:
			case <-over:
				return run(ctx)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// begun tells whether no container is on its way to its first start: none is wanted, or each has run or failed.
func begun(document state.DocumentPhase, wanted int, list []state.Container) bool {
	if document == "" || document == state.DocumentWaiting {
		return false
	}
	underWay := func(c state.Container) bool {
		return (c.Phase == state.ContainerWaiting || c.Phase == state.ContainerStarting) && c.Restarts == 0
	}
	return len(list) >= wanted && !slices.ContainsFunc(list, underWay)
}
