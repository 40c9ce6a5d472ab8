package boot

import (
	"os"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/storage"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/api/v1alpha1"
)

// mountVar finds the boot disk, mounts /var and publishes both.
func (a *agent) mountVar() {
	defer func() {
		if _, published := a.machine.Storage.Get(); !published { // a panic; nobody may wait for ever
			a.machine.Storage.Set(state.Storage{Error: "/var is not mounted: the agent failed"})
		}
	}()
	line, _ := a.commandLine.Value("dm-mod.create")
	options := storage.Options{
		Root:       "/",
		VerityLine: line,
		LoaderPartUUID: func() string {
			<-a.loaderRead
			return a.loader.DevicePartUUID
		},
		Template: func() (storage.Template, error) { return os.Open(v1alpha1.VarTemplatePath) },
	}
	func() {
		defer close(a.diskFound) // whatever happens: others wait for it
		a.disk = storage.Find(options)
	}()
	if a.disk.Warning != "" {
		a.log.Warn(a.disk.Warning)
	}
	a.machine.Boot.Update(func(b state.Boot) state.Boot {
		b.BootDisk, b.ESP, b.Slot, b.RootHash = a.disk.Disk, a.disk.ESP, a.disk.Slot, a.disk.RootHash
		return b
	})
	a.machine.Storage.Set(a.disk.MountVar(options))
}

// afterBoot is what may wait until containers are on their way: growing /var, and the random seed.
func (a *agent) afterBoot() {
	defer close(a.diskSettled)
	err := contain(func() error {
		mounted, _ := a.machine.Storage.Get()
		if mounted.VarDevice == "" {
			return nil
		}
		if grown := a.disk.Grow(mounted); grown.VarSizeBytes != mounted.VarSizeBytes || len(grown.Events) != len(mounted.Events) {
			a.machine.Storage.Set(grown)
		}
		return system.CreditSeed(seedPath)
	})
	if err != nil {
		a.log.Error(err.Error())
	}
}
