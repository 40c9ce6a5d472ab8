package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/capability"
	"github.com/stele-os/stele/agent/clock"
	"github.com/stele-os/stele/agent/console"
	"github.com/stele-os/stele/agent/containers"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server/events"
	"github.com/stele-os/stele/agent/server/logs"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
)

func newAgent() *agent {
	a := &agent{
		started:    system.SinceKernelStart(),
		console:    console.New(system.SinceKernelStart),
		machine:    &state.Machine{},
		reaper:     system.NewReaper(),
		signals:    make(chan os.Signal, 16),
		requests:   make(chan state.Shutdown, 1),
		loaderRead: make(chan struct{}),
		hardened:   make(chan struct{}),
		diskFound:  make(chan struct{}),

		diskSettled: make(chan struct{}),
		control:     containers.NewControl(),
		agentLog:    logs.NewAgent(),
		events:      events.NewHub(time.Now),
	}
	a.log = slog.New(logs.NewHandler(a.agentLog, console.NewHandler(a.console)))
	return a
}

// tuneMemory keeps the heap small: the agent lives beside containers on machines of 512 MiB, and allocates little once booted.
func tuneMemory() { debug.SetGCPercent(50) }

func (a *agent) dropCapabilities() {
	if err := capability.Drop(capability.Nobody); err != nil {
		a.log.Error(err.Error())
	}
}

func (a *agent) mountEarly() {
	if err := errors.Join(system.MountAll("/", system.EarlyMounts()), system.MakeCgroups(system.CgroupRoot)); err != nil {
		a.log.Error(err.Error())
	}
}

// survivePanics comes before hardenKernel sets the same parameters with all the others: from here on every end of this process is a reboot.
func (a *agent) survivePanics() {
	if err := system.SetParameter("/proc/sys", "kernel.panic", "-1"); err != nil {
		a.log.Error(err.Error())
	}
	if err := system.SignalOnCtrlAltDel(); err != nil {
		a.log.Error(err.Error())
	}
}

func (a *agent) openWatchdog() {
	w, identity, err := system.OpenWatchdog("/")
	if err != nil {
		a.log.Warn(err.Error())
	}
	if identity != "" {
		a.log.Info("watchdog: " + identity)
	}
	a.watchdog = w
	go func() { _ = w.Run(context.Background()) }()
}

func (a *agent) readImage() {
	image, err := readImageInfo("/")
	if err != nil {
		a.log.Error(err.Error())
	}
	a.image = image
	if content, err := os.ReadFile("/proc/cmdline"); err == nil {
		a.commandLine = system.DecodeCommandLine(string(content))
	}
	if moved, err := clock.Floor(time.Unix(image.BuildTime, 0)); err != nil {
		a.log.Error(err.Error())
	} else if moved {
		a.log.Info("clock: set to the image's build time")
	}
	meminfo, _ := os.ReadFile("/proc/meminfo")
	a.machine.Facts.Set(plan.Facts{Image: image, CPUs: runtime.NumCPU(), MemoryBytes: system.DecodeMeminfo(meminfo).TotalBytes})
	a.machine.Boot.Set(state.Boot{Version: image.Version, Started: a.started})
	a.log.Info(fmt.Sprintf("%s %s, agent started", image.Name, image.Version))
}

// step is one of those that run beside each other.
type step struct {
	name string
	run  func()
}

// inParallel runs the steps beside each other, returns when all have ended, and tells what each took. A panic in one is logged; the others go on.
func (a *agent) inParallel(steps ...step) string {
	var running sync.WaitGroup
	took := make([]string, len(steps))
	for i, s := range steps {
		running.Go(func() {
			begun := time.Now()
			if err := contain(func() error { s.run(); return nil }); err != nil {
				a.log.Error(fmt.Sprintf("%s: %v", s.name, err))
			}
			took[i] = fmt.Sprintf("%s %d", s.name, time.Since(begun).Milliseconds())
		})
	}
	running.Wait()
	return strings.Join(took, ", ")
}

func (a *agent) delegateCgroups() {
	facts, _ := a.machine.Facts.Get()
	tasks, err := system.ReadTasks("/proc/sys")
	if err != nil {
		a.log.Error(err.Error())
	}
	if err := system.DelegateCgroups(system.CgroupRoot, system.Size{MemoryBytes: facts.MemoryBytes, Tasks: tasks}); err != nil {
		a.log.Error(err.Error())
	}
}

func (a *agent) hardenKernel() {
	defer close(a.hardened)
	missing, err := system.ApplyParameters("/proc/sys", system.Parameters)
	if err != nil {
		a.log.Error(err.Error())
	}
	missing = slices.DeleteFunc(missing, func(name string) bool { return system.BuiltOut[name] })
	if len(missing) > 0 {
		a.log.Info(fmt.Sprintf("kernel parameters: %d not in this kernel: %s", len(missing), strings.Join(missing, " ")))
	}
}

func (a *agent) mountLate() {
	defer close(a.loaderRead)
	if err := system.MountAll("/", system.LateMounts()); err != nil {
		a.log.Error(err.Error())
	}
	secureBoot := system.ReadSecureBoot(system.EFIVariables)
	a.machine.Boot.Update(func(b state.Boot) state.Boot {
		b.SecureBoot = secureBoot
		return b
	})
	loader, err := system.ReadLoader(system.EFIVariables)
	if err != nil {
		return // a machine without EFI
	}
	a.loader = loader
	a.machine.Boot.Update(func(b state.Boot) state.Boot {
		b.FirmwareUsec = loader.InitUsec
		if loader.ExecUsec > loader.InitUsec {
			b.LoaderUsec = loader.ExecUsec - loader.InitUsec
		}
		return b
	})
}

func (a *agent) announceReady(took string) {
	ready := system.SinceKernelStart()
	a.machine.Boot.Update(func(b state.Boot) state.Boot {
		b.Ready = ready
		return b
	})
	a.log.Info(fmt.Sprintf("agent ready %d ms after its start (%s)", (ready - a.started).Milliseconds(), took))
}

// measureMemory is what the boot report tells of the machine's memory.
func measureMemory(containerdPID int) console.Memory {
	meminfo, _ := os.ReadFile("/proc/meminfo")
	memory := system.DecodeMeminfo(meminfo)
	resident := func(pid string) int64 {
		status, _ := os.ReadFile("/proc/" + pid + "/status")
		return system.DecodeResident(status)
	}
	result := console.Memory{UsedBytes: memory.TotalBytes - memory.AvailableBytes, TotalBytes: memory.TotalBytes, AgentBytes: resident("self")}
	if containerdPID > 0 {
		result.ContainerdBytes = resident(fmt.Sprint(containerdPID))
	}
	return result
}
