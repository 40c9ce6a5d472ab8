package boot

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
)

const (
	// graceDefault and graceMax bound what containers are given between SIGTERM and SIGKILL.
	graceDefault = 10 * time.Second
	graceMax     = 5 * time.Minute
	// killGrace is for what is left after the managers have ended: first SIGTERM, then SIGKILL.
	killGrace = 2 * time.Second
	// containersSpare is what stopping containers may take beyond their grace: SIGKILL, cleaning up.
	containersSpare = 5 * time.Second
	// managersGrace is for all other managers.
	managersGrace = 3 * time.Second
	// restOfWay is for everything but the containers' grace: the spare, managers, seed, processes, file systems.
	restOfWay = 20 * time.Second

	seedPath = "/var/lib/stele/random-seed"
)

// down takes the machine down in steps, each with an end. The main loop keeps the overall deadline.
func (a *agent) down(request state.Shutdown, limit time.Duration) {
	step := func(f func()) { // whatever a step does, the next one comes
		if err := contain(func() error { f(); return nil }); err != nil {
			a.log.Error(err.Error())
		}
	}
	word := "restart"
	if request.PowerOff {
		word = "power-off"
	}
	a.log.Info(fmt.Sprintf("going down (%s): %s", word, request.Reason))
	step(func() { a.machine.Shutdown.Set(request) })
	step(func() { a.end("containers", &a.workloads, limit-restOfWay+containersSpare) })
	step(func() { a.end("managers", &a.managers, managersGrace) })
	step(a.saveSeed)
	step(a.killRest)
	step(a.unmount)
	a.log.Info("down: " + word)
	a.flushConsole(2 * time.Second)
	a.leave()
}

// downLimit is how long the whole way down may take: the longest grace period of a container, and the rest of the way.
func (a *agent) downLimit() time.Duration {
	desired, _ := a.machine.Desired.Get()
	return longestGrace(desired) + restOfWay
}

func longestGrace(d plan.Desired) time.Duration {
	longest := graceDefault
	for _, c := range d.Containers {
		longest = max(longest, c.GracePeriod)
	}
	return min(longest, graceMax)
}

// end cancels a group and waits for it, at most limit.
func (a *agent) end(what string, g *group, limit time.Duration) {
	if !g.end(limit) {
		a.log.Error(fmt.Sprintf("%s did not end within %s; going on without them", what, limit))
	}
}

func (a *agent) saveSeed() {
	if s, ok := a.machine.Storage.Get(); !ok || s.VarDevice == "" {
		return
	}
	if err := system.SaveSeed(seedPath); err != nil {
		a.log.Error(err.Error())
	}
}

func (a *agent) killRest() {
	if left := system.KillAll(context.Background(), "/proc", killGrace); left > 0 {
		a.log.Error(fmt.Sprintf("%d processes cannot be killed", left))
	}
}

func (a *agent) unmount() {
	if err := system.UnmountUnder("/proc/self/mountinfo", "/run/containerd", "/run/stele", "/var", "/efi"); err != nil {
		a.log.Error(err.Error())
	}
	unix.Sync()
}

// leave ends the kernel's run as the request says.
func (a *agent) leave() {
	request, _ := a.machine.Shutdown.Get()
	if err := system.Reboot(request.PowerOff); err != nil {
		a.console.Print("error: " + err.Error())
	}
}
