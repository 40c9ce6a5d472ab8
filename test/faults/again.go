package faults

import (
	"context"
	"fmt"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
)

// notAgain looks whether a rejected version, the newest there is, is not taken by itself, and is when it is named.
func (m *Machine) notAgain(ctx context.Context, version string) error {
	found, err := node.Ask(ctx, m.Client.Updates.Check, &nodev1.CheckUpdateRequest{})
	if err != nil {
		return node.Explain("machine", err)
	}
	if len(found.GetVersions()) == 0 || found.Versions[0] != version || found.GetAvailable() == version {
		return fmt.Errorf("after the rejection of %s: %v", version, found)
	}
	return m.Stage(ctx, version)
}

// bothUnhealthy: the new version was rejected, and now a container of the old one does not do its work. The machine says so, and tries on: it starts the
// container again until it does.
func bothUnhealthy(ctx context.Context, m *Machine) (o Outcome, err error) {
	status, err := m.Status(ctx)
	if err != nil {
		return o, err
	}
	if _, err := rejected(status, unhealthy.Number); err != nil { // the row before has not left it so
		if o, err = update(unhealthy, apply)(ctx, m); err != nil {
			return o, err
		}
	}
	first := m.Console.Next()
	o.Fault = time.Now()
	if err := m.ask(ctx, "/unhealthy"); err != nil {
		return o, err
	}
	line, err := m.ExpectFrom(ctx, first, `^stele: .*error: (no good version is left: .*)`)
	if err != nil {
		return o, err
	}
	o.Reason = line.Groups[1]
	again, err := m.ExpectFrom(ctx, line.Index, `^stele: .*container demo: running ready`)
	if err != nil {
		return o, err
	}
	o.Back = again.At
	if _, err := m.InService(ctx, Good, ""); err != nil {
		return o, err
	}
	return o, m.notAgain(ctx, unhealthy.Number)
}
