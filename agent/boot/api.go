package boot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/storage"
)

// runServer serves the API.
func (a *agent) runServer(ctx context.Context) error {
	return server.Run(ctx, a.machine, server.Options{
		Updates:       a.updates,
		Configuration: a.configuration,
		Containers:    a.control,
		Power:         power{a},
		Log:           a.log,
		AgentLog:      a.agentLog,
		Events:        a.events,
		BuildTime:     time.Unix(a.image.BuildTime, 0),
	})
}

// settledDisk waits until nothing of boot writes to the boot disk any more, and returns it.
func (a *agent) settledDisk(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-a.diskSettled:
		return a.disk.Disk, nil
	}
}

// power is what the API asks of PID 1 (server.Power).
type power struct{ *agent }

func (p power) Shutdown(powerOff bool, caller, reason string) error {
	if down, going := p.machine.Shutdown.Get(); going {
		return fault.New(fault.Unavailable, "cannot go down: the machine is going down already (%s)", down.Reason)
	}
	if reason != "" {
		reason = ": " + reason
	}
	p.request(powerOff, "asked by "+caller+reason)
	return nil
}

// Reset marks /var for being made anew, and restarts the machine.
func (p power) Reset(ctx context.Context, caller string) error {
	disk, err := p.settledDisk(ctx)
	if err != nil {
		return err
	}
	if mounted, _ := p.machine.Storage.Get(); disk == "" || mounted.VarDevice == "" {
		return fault.As(fault.Precondition, errors.New("cannot reset: /var is in memory; a restart empties it"))
	}
	// The update manager writes the same partition table: one of the two at a time.
	return p.updates.Alone(ctx, "the reset", func() error {
		if err := storage.MarkReset(disk); err != nil {
			return fmt.Errorf("cannot reset: %w", err)
		}
		p.request(false, "reset, asked by "+caller)
		return nil
	})
}
