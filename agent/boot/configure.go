package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/storage"
	"github.com/stele-os/stele/api/v1alpha1"
)

// makeConfiguration makes the manager that publishes the plan of the empty document, asks for metadata, and publishes the plan of what comes.
func (a *agent) makeConfiguration() {
	image, err := os.ReadFile(v1alpha1.ImageDocumentPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.log.Error(fmt.Sprintf("cannot read the image's document: %v", err))
	}
	ctx := context.Background() // the boot disk is found within milliseconds, whatever else happens
	fetcher := metadata.NewFetcher(metadata.Options{
		Platform:    platform(a.image.Platform, a.commandLine.Value),
		BootDisk:    func() string { return a.bootDisk(ctx).Disk },
		ESP:         func() string { return a.bootDisk(ctx).ESP },
		WaitNetwork: a.waitForNetwork,
	})
	a.configuration = config.NewManager(a.machine, config.Options{
		Image:   image,
		Fetch:   fetcher.Fetch,
		Timeout: time.Duration(a.image.MetadataTimeoutSeconds) * time.Second,
	})
}

// platform is where the configuration comes from: the kernel command line's word before the image's; empty: detect.
func platform(image string, word func(string) (string, bool)) string {
	if name, ok := word("stele.platform"); ok {
		return name
	}
	return image
}

// bootDisk waits until the boot disk is found, which takes some milliseconds.
func (a *agent) bootDisk(ctx context.Context) storage.Found {
	select {
	case <-ctx.Done():
		return storage.Found{}
	case <-a.diskFound:
		return a.disk
	}
}

// waitForNetwork returns when the machine is online.
func (a *agent) waitForNetwork(ctx context.Context) error {
	_, err := a.machine.Network.Wait(ctx, func(n state.Network) bool { return n.Online })
	return err
}
