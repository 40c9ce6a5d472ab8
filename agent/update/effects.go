package update

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/slotstate"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/agent/update/gates"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/internal/block"
)

// trust decides what of a repository is true (repository.Client).
type trust interface {
	Refresh(ctx context.Context, src repository.Source) (repository.Targets, error)
	SecurityFloor(ctx context.Context) (int64, error)
	RaiseSecurityFloor(ctx context.Context, version int64) error
}

// device is an opened boot disk.
type device interface {
	block.Device
	io.Closer
}

// effects are what a test replaces.
type effects struct {
	trust  trust
	open   func(path string) (device, error)
	random io.Reader
	// copyState gives a slot the per-slot state of another one.
	copyState func(from, to string) error
	prove     func(ctx context.Context, o gates.Options) (gates.Verdict, error)
	// bootID, crashes and watchdogReset are what the kernel says about this boot and the one before.
	bootID        func() (string, error)
	crashes       func() ([]system.Crash, error)
	clearCrashes  func() error
	watchdogReset func() bool
	// firmware is asked at each staging: keys may have been enrolled or forbidden meanwhile.
	firmware func() firmware
}

func (o Options) complete() Options {
	o.Dir = cmp.Or(o.Dir, Dir)
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SinceStart == nil {
		o.SinceStart = system.SinceKernelStart
	}
	if o.Source == nil {
		o.Source = httpSource
	}
	if o.do.open == nil {
		o.do = machineEffects()
	}
	return o
}

func machineEffects() effects {
	return effects{
		open: func(path string) (device, error) {
			d, err := block.OpenFile(path)
			if err != nil {
				return nil, err
			}
			return d, nil
		},
		random:        rand.Reader,
		copyState:     slotstate.Copy,
		prove:         gates.Run,
		bootID:        func() (string, error) { return system.BootID("/proc") },
		crashes:       func() ([]system.Crash, error) { return system.ReadCrashes(system.PstoreRoot) },
		clearCrashes:  func() error { return system.ClearCrashes(system.PstoreRoot) },
		watchdogReset: func() bool { return system.WatchdogReset("/") },
		firmware:      readFirmware,
	}
}

// maxTotalBytes bounds what one action reads from a repository: several times the largest bundle.
const maxTotalBytes = 16 << 30

func httpSource(u plan.Update) (repository.Source, error) {
	h, err := repository.NewHTTP(repository.HTTPOptions{URL: u.Repository, CA: u.CA, MaxRateBytes: u.MaxRateBytes, MaxTotalBytes: maxTotalBytes})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// openTrust opens the repository client on the image's root of trust.
func openTrust(o Options) (trust, error) {
	if o.do.trust != nil {
		return o.do.trust, nil
	}
	if len(o.Root) == 0 {
		return nil, fault.New(fault.Precondition, "cannot take versions: the image has no root of trust; build it with update.root in its definition")
	}
	c, err := repository.Open(repository.Options{
		Root: o.Root, Dir: o.Dir + "/update/repository", Now: o.Now, BuildTime: time.Unix(o.Image.BuildTime, 0),
		ClockDoubt: func() string { return clockDoubt(o.Machine) },
	})
	if err != nil {
		return nil, fault.As(fault.Precondition, err)
	}
	return c, nil
}

// clockDoubt says why the time may be wrong.
func clockDoubt(m *state.Machine) string {
	clock, _ := m.Clock.Get()
	if clock.Synchronised {
		return ""
	}
	return "it is not synchronised: " + cmp.Or(clock.Error, "no time server has answered yet")
}
