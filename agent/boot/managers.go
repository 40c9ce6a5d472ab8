package boot

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stele-os/stele/agent/clock"
	"github.com/stele-os/stele/agent/containers"
	"github.com/stele-os/stele/agent/network"
	"github.com/stele-os/stele/agent/system"
)

// startManagers starts everything that runs as long as the machine, each under the supervisor. The order does not matter:
// each waits in the state for what it needs. On the way down, workloads end before managers.
func (a *agent) startManagers() {
	a.makeConfiguration()
	a.makeUpdates()
	// The reaper ends with the machine: the others wait for their children on the way down.
	go supervise(context.Background(), a.log, manager{"reaper", a.reaper.Run}, &a.failing, time.After)
	a.workloads.start(a.log, &a.failing, manager{"containers", a.runContainers})
	a.managers.start(a.log, &a.failing,
		manager{"configuration", a.configuration.Run},
		manager{"api", a.behindContainers(a.runServer)},
		manager{"update", a.updates.Run},
		manager{"network", func(ctx context.Context) error { return network.Run(ctx, a.machine) }},
		manager{"clock", a.runClock},
		manager{"host", a.runHost},
		manager{"power button", a.watchButton},
	)
}

func (a *agent) runClock(ctx context.Context) error {
	return clock.Run(ctx, a.machine, clock.Options{BuildTime: time.Unix(a.image.BuildTime, 0)})
}

func (a *agent) runHost(ctx context.Context) error {
	if err := a.waitHardened(ctx); err != nil {
		return err
	}
	return system.RunHost(ctx, a.machine, a.log, "/proc/sys")
}

func (a *agent) waitHardened(ctx context.Context) error {
	select {
	case <-a.hardened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *agent) runContainers(ctx context.Context) error {
	if err := a.waitHardened(ctx); err != nil {
		return err
	}
	if _, err := a.machine.Storage.Wait(ctx, nil); err != nil {
		return err
	}
	return containers.Run(ctx, a.machine, containers.Options{
		Start:           a.startRuntime,
		Logf:            func(format string, args ...any) { a.log.Info(fmt.Sprintf(format, args...)) },
		CgroupParent:    system.CgroupContainers,
		ShutdownTimeout: graceMax,
		Control:         a.control,
	})
}

// startRuntime starts containerd in its own control group, where the shims it starts stay, too.
func (a *agent) startRuntime(cmd *exec.Cmd) (containers.Process, error) {
	group, err := os.Open(filepath.Join(system.CgroupRoot, system.CgroupRuntime))
	if err != nil {
		return nil, fmt.Errorf("cannot open control group %q: %w", system.CgroupRuntime, err)
	}
	defer group.Close()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(group.Fd())
	process, err := a.reaper.Start(cmd)
	if err != nil {
		return nil, err
	}
	return process, nil
}

// watchButton powers the machine off at a press of its button. A machine without a button is none the worse.
func (a *agent) watchButton(ctx context.Context) error {
	err := system.WatchPowerButton(ctx, "/", func() { a.request(true, "power button") })
	if ctx.Err() == nil {
		a.log.Warn(err.Error())
		<-ctx.Done()
	}
	return ctx.Err()
}
