package gates

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// addContainer adds the gate of a required container. A restart that came and went between two looks begins the gate's time anew.
func (e *Evaluation) addContainer(want plan.Container, in Input, before Evaluation) {
	at := slices.IndexFunc(in.Containers, func(c state.Container) bool { return c.Name == want.Name })
	observed := state.Container{Name: want.Name, Phase: state.ContainerWaiting}
	if at >= 0 && in.Containers[at].Phase != "" {
		observed = in.Containers[at]
	}
	condition, reason := container(observed)
	gate := dated(state.Gate{Name: "container " + want.Name, State: condition, Reason: reason}, before.Gates, in.Now)
	if seen, ok := before.restarts[want.Name]; ok && observed.Restarts > seen {
		gate.Since = in.Now
	}
	e.Gates = append(e.Gates, gate)
	e.restarts[want.Name] = observed.Restarts
}

// container says whether one required container is as it should be. One that has done its work and ended is.
func container(c state.Container) (condition, reason string) {
	is := "container " + c.Name + " "
	switch c.Phase {
	case state.ContainerRunning:
		if c.Ready {
			return Held, ""
		}
		return Waiting, is + "is not ready" + because(c.Reason) + restarts(c.Restarts)
	case state.ContainerExited:
		if c.ExitCode == 0 {
			return Held, is + "has done its work"
		}
		return Failed, is + fmt.Sprintf("exited with %d and is not started again%s", c.ExitCode, restarts(c.Restarts))
	case state.ContainerBackoff:
		return Waiting, is + "is in backoff: " + cmp.Or(c.Reason, fmt.Sprintf("exited with %d", c.ExitCode)) + restarts(c.Restarts)
	case state.ContainerFailed:
		return Waiting, is + "cannot be started" + because(c.Reason) + restarts(c.Restarts)
	}
	return Waiting, is + "is " + string(c.Phase) + because(c.Reason) + restarts(c.Restarts)
}

func restarts(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", 1 restart"
	}
	return fmt.Sprintf(", %d restarts", n)
}
