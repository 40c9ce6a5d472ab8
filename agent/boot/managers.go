package boot

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/clock"
	"github.com/stele-os/stele/agent/system"
)

// startManagers starts everything that runs as long as the machine, each under the supervisor.
func (a *agent) startManagers(ctx context.Context) {
	// The reaper outlives the managers: they wait for their children on the way down.
	go supervise(context.Background(), a.log, manager{"reaper", a.reaper.Run}, time.After)
	for _, m := range a.managerList() {
		a.managers.Go(func() { supervise(ctx, a.log, m, time.After) })
	}
	go a.watchButton(ctx)
}

// managerList names the managers. The order does not matter: each waits in the state for what it needs.
func (a *agent) managerList() []manager {
	return []manager{
		{"host", func(ctx context.Context) error { return system.RunHost(ctx, a.machine, a.log, "/proc/sys") }},
		{"clock", func(ctx context.Context) error {
			return clock.Run(ctx, a.machine, clock.Options{BuildTime: time.Unix(a.image.BuildTime, 0)})
		}},
	}
}

func (a *agent) watchButton(ctx context.Context) {
	err := system.WatchPowerButton(ctx, "/", func() { a.request(true, "power button") })
	if ctx.Err() == nil {
		a.log.Warn(err.Error())
	}
}
