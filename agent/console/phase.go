package console

import (
	"github.com/stele-os/stele/agent/state"
)

// The machine's phases, as printed behind "state: ".
const (
	phaseBooting       = "booting"
	phaseWaiting       = "waiting-for-metadata"
	phaseNoMetadata    = "no-metadata"
	phaseConfigInvalid = "config-invalid"
	phaseLastGood      = "last-good"
	phaseRunning       = "running"
	phaseDegraded      = "degraded"
	phaseShuttingDown  = "shutting-down"
)

// phase says in one word how the machine is. settledBefore: it had settled at some time since boot, so that a container that
// is not ready now means a loss, not a start.
func phase(s snapshot, settledBefore bool) string {
	switch {
	case s.Shutdown != nil:
		return phaseShuttingDown
	case s.Document == nil:
		return phaseBooting
	}
	switch s.Document.Phase {
	case state.DocumentWaiting:
		return phaseWaiting
	case state.DocumentMissing:
		return phaseNoMetadata
	case state.DocumentInvalid:
		return phaseConfigInvalid
	}
	switch {
	case len(failures(s)) > 0:
		return phaseDegraded
	case !containersSettled(s) && settledBefore:
		return phaseDegraded
	case !containersSettled(s):
		return phaseBooting
	case s.Document.Phase == state.DocumentLastGood:
		return phaseLastGood
	}
	return phaseRunning
}

// settled tells whether the boot has an outcome worth a report: nothing changes any more without an event from outside.
func settled(s snapshot) bool {
	if s.Document == nil || s.Shutdown != nil {
		return false
	}
	switch s.Document.Phase {
	case state.DocumentMissing, state.DocumentInvalid:
		return true
	case state.DocumentApplied, state.DocumentLastGood:
		return s.Storage != nil && containersSettled(s)
	}
	return false
}

// containersSettled: every desired container is ready, exited or failed.
func containersSettled(s snapshot) bool {
	if s.Desired == nil {
		return false
	}
	observed := map[string]state.Container{}
	for _, c := range s.Containers {
		observed[c.Name] = c
	}
	for _, want := range s.Desired.Containers {
		if !containerSettled(observed[want.Name]) {
			return false
		}
	}
	return true
}

func containerSettled(c state.Container) bool {
	switch c.Phase {
	case state.ContainerRunning:
		return c.Ready
	case state.ContainerExited, state.ContainerFailed, state.ContainerBackoff:
		return true
	}
	return false
}

// failure is one line "failed: <object>: <reason>".
type failure struct{ object, reason string }

// failures lists what is not as it should be, most basic first.
func failures(s snapshot) []failure {
	var list []failure
	add := func(object, reason string) {
		if reason != "" {
			list = append(list, failure{object, reason})
		}
	}
	if s.Storage != nil {
		add("storage", s.Storage.Error)
	}
	for _, e := range s.Network.Errors {
		add("network", e)
	}
	if s.Document != nil {
		for _, e := range s.Document.Errors {
			add("document", e)
		}
	}
	add("containerd", s.Runtime.Error)
	for _, c := range s.Containers {
		add("container "+c.Name, containerFailure(c))
	}
	return list
}

// containerFailure says why a container counts as failed, or "".
func containerFailure(c state.Container) string {
	failed := c.Phase == state.ContainerFailed || c.Phase == state.ContainerBackoff ||
		c.Phase == state.ContainerExited && c.ExitCode != 0
	switch {
	case !failed:
		return ""
	case c.Reason == "":
		return string(c.Phase)
	}
	return c.Reason
}
