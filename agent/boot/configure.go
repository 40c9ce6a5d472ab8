package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/api/v1alpha1"
)

// runConfiguration asks for metadata once /var is mounted: the boot disk is known then, and what is fetched can be kept.
// The plan of the empty document, by which the network starts, does not wait for that.
func (a *agent) runConfiguration(ctx context.Context) error {
	image, err := os.ReadFile(v1alpha1.ImageDocumentPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot read the image's document: %w", err)
	}
	fetcher := metadata.NewFetcher(metadata.Options{
		Platform:    platform(a.image.Platform, a.commandLine.Value),
		BootDisk:    func() string { return a.disk.Disk },
		ESP:         func() string { return a.disk.ESP },
		WaitNetwork: a.waitForNetwork,
	})
	return config.Run(ctx, a.machine, config.Options{
		Image: image,
		Fetch: func(ctx context.Context) (metadata.Result, error) {
			if err := a.waitForVar(ctx); err != nil {
				return metadata.Result{}, err
			}
			return fetcher.Fetch(ctx)
		},
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

// waitForVar returns when /var is mounted, be it in memory.
func (a *agent) waitForVar(ctx context.Context) error {
	for {
		_, mounted, changed := a.machine.Storage.Watch()
		if mounted {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// waitForNetwork returns when the machine is online.
func (a *agent) waitForNetwork(ctx context.Context) error {
	for {
		network, _, changed := a.machine.Network.Watch()
		if network.Online {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
