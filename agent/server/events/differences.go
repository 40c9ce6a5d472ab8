package events

import (
	"fmt"
	"slices"

	"github.com/stele-os/stele/agent/state"
)

// differences are the events between two snapshots (TestDifferences).
func differences(a, b snapshot) []Event {
	var list []Event
	add := func(kind, object, format string, args ...any) {
		list = append(list, Event{Kind: kind, Object: object, Message: fmt.Sprintf(format, args...)})
	}
	if a.Health.Phase != b.Health.Phase {
		add("machine", "", "%s", b.Health.Phase)
	}
	for _, f := range fresh(a.Health.Failures, b.Health.Failures) {
		add("machine", "", "failed: %s", f)
	}
	if a.Document.Phase != b.Document.Phase || a.Document.Digest != b.Document.Digest {
		add("document", b.Document.Digest, "%s, from %s", b.Document.Phase, b.Document.Source)
	}
	for _, e := range fresh(a.Storage.Events, b.Storage.Events) {
		add("machine", "/var", "%s", e)
	}
	networkDifferences(a.Network, b.Network, add)
	if a.Clock.Synchronised != b.Clock.Synchronised {
		add("machine", "clock", "synchronised=%t %s", b.Clock.Synchronised, b.Clock.Server)
	}
	if a.Runtime.Restarts < b.Runtime.Restarts {
		add("machine", "containerd", "started again")
	}
	containerDifferences(a.Containers, b.Containers, add)
	updateDifferences(a.Update, b.Update, add)
	if a.API != b.API && b.API.Port != 0 {
		add("api", "", "listens on port %d, key %s, self-signed=%t", b.API.Port, b.API.Fingerprint, b.API.SelfSigned)
	}
	if b.Shutdown != a.Shutdown {
		add("machine", "", "goes down (power off: %t): %s", b.Shutdown.PowerOff, b.Shutdown.Reason)
	}
	return list
}

// adder appends one event.
type adder func(kind, object, format string, args ...any)

func networkDifferences(a, b state.Network, add adder) {
	if a.Online != b.Online {
		add("network", "", "online=%t", b.Online)
	}
	old := map[string]state.Link{}
	for _, l := range a.Links {
		old[l.Name] = l
	}
	for _, l := range b.Links {
		if before, known := old[l.Name]; !known || before.Up != l.Up || !slices.Equal(before.Addresses, l.Addresses) {
			add("network", l.Name, "up=%t %v", l.Up, l.Addresses)
		}
	}
}

func containerDifferences(a, b []state.Container, add adder) {
	old := map[string]state.Container{}
	for _, c := range a {
		old[c.Name] = c
	}
	for _, c := range b {
		before, known := old[c.Name]
		delete(old, c.Name)
		if known && before.Phase == c.Phase && before.Ready == c.Ready && before.Restarts == c.Restarts {
			continue
		}
		message := string(c.Phase)
		if c.Ready {
			message += ", ready"
		}
		if c.Reason != "" {
			message += ": " + c.Reason
		}
		add("container", c.Name, "%s", message)
	}
	for _, c := range a {
		if _, gone := old[c.Name]; gone {
			add("container", c.Name, "removed")
		}
	}
}

func updateDifferences(a, b state.Update, add adder) {
	if a.Activity != b.Activity && b.Activity != "" {
		add("update", b.Progress.Version, "%s", b.Activity)
	}
	if a.Progress.Phase != b.Progress.Phase && b.Progress.Phase != "" {
		add("update", b.Progress.Version, "staging: %s", b.Progress.Phase)
	}
	if a.Error != b.Error && b.Error != "" {
		add("update", b.Progress.Version, "failed: %s", b.Error)
	}
	if a.Available != b.Available && b.Available != "" {
		add("update", b.Available, "available")
	}
	if !a.Committed && b.Committed {
		add("update", "", "the running version is committed")
	}
	for _, s := range b.Slots {
		if at := slices.IndexFunc(a.Slots, func(o state.Slot) bool { return o.Name == s.Name }); at < 0 || a.Slots[at].State != s.State || a.Slots[at].Version != s.Version {
			add("update", "slot "+s.Name, "%s %s", s.State, s.Version)
		}
	}
	for _, g := range b.Gates {
		if at := slices.IndexFunc(a.Gates, func(o state.Gate) bool { return o.Name == g.Name }); at < 0 || a.Gates[at].State != g.State {
			add("update", "gate "+g.Name, "%s %s", g.State, g.Reason)
		}
	}
	for _, r := range b.Rejected {
		if !slices.ContainsFunc(a.Rejected, func(o state.Rejection) bool { return o.RootHash == r.RootHash }) {
			add("update", r.Version, "rejected: %s", r.Reason)
		}
	}
}

func fresh(before, after []string) []string {
	var list []string
	for _, s := range after {
		if !slices.Contains(before, s) {
			list = append(list, s)
		}
	}
	return list
}
