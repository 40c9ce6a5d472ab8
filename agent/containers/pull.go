package containers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/opencontainers/image-spec/identity"

	"github.com/stele-os/stele/agent/plan"
)

const (
	pullAlways    = "Always"
	pullNever     = "Never"
	snapshotter   = "overlayfs"
	clockPatience = 10 * time.Second
	// onlinePatience is how long a pull waits for the network before the container counts as failed, for now.
	onlinePatience = 30 * time.Second
	// maxConfigBytes bounds what a registry can make PID 1 read (containerd's own bound for manifests is the same).
	maxConfigBytes = 8 << 20
)

// Pull makes a registry image available, unpacked. With IfNotPresent an image that is there is not asked for again, so it works without network.
func (e *containerdEngine) Pull(ctx context.Context, s specification) error {
	ref, policy := s.Container.Image, s.Container.PullPolicy
	if policy != pullAlways {
		err := e.retry(ctx, func() error {
			_, err := e.client.ImageService().Get(ctx, ref)
			return err
		})
		if err == nil {
			return nil
		}
		if !notFound(err) {
			return fmt.Errorf("cannot look for image %q: %w", ref, err)
		}
		if policy == pullNever {
			return fmt.Errorf("cannot find image %q: it is not on this machine and imagePullPolicy is Never", ref)
		}
	}
	if err := e.waitOnline(ctx); err != nil {
		return fmt.Errorf("cannot pull image %q: %w", ref, err)
	}
	hosts := registryHosts(s.Registries)
	if needsClock(ref, s.Registries) && !e.waitClock(ctx) {
		return ctx.Err()
	}
	_, err := e.client.Pull(ctx, ref,
		client.WithPullUnpack,
		client.WithPullSnapshotter(snapshotter),
		client.WithResolver(docker.NewResolver(docker.ResolverOptions{Hosts: hosts})))
	if err != nil {
		return fmt.Errorf("cannot pull image %q: %w", ref, err)
	}
	return nil
}

// waitOnline waits for the network, not for ever: a container without its image says why.
func (e *containerdEngine) waitOnline(ctx context.Context) error {
	late := e.options.Clock.After(onlinePatience)
	for {
		n, _, changed := e.machine.Network.Watch()
		if n.Online {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return errOffline
		case <-changed:
		}
	}
}

// waitClock gives the clock a moment to be set: certificates are judged by it. It is never before the build time, so going on is no danger.
func (e *containerdEngine) waitClock(ctx context.Context) bool {
	late := e.options.Clock.After(clockPatience)
	for {
		c, _, changed := e.machine.Clock.Watch()
		if c.Synchronised {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-late:
			return true
		case <-changed:
		}
	}
}

var errOffline = errors.New("the machine is not online")

// needsClock tells whether a pull speaks TLS.
func needsClock(ref string, registries []plan.Registry) bool {
	host, _, _ := strings.Cut(ref, "/")
	i := slices.IndexFunc(registries, func(r plan.Registry) bool { return r.Host == host })
	if i < 0 {
		return true
	}
	return slices.ContainsFunc(registries[i].Endpoints, func(u string) bool { return strings.HasPrefix(u, "https:") })
}

// preparePulled makes a new snapshot of an unpacked image.
func (e *containerdEngine) preparePulled(ctx context.Context, s specification) (preparedRoot, error) {
	name, ref := s.Container.Name, s.Container.Image
	image, err := e.client.GetImage(ctx, ref)
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot find image %q: %w", ref, err)
	}
	descriptor, err := image.Config(ctx)
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot read image %q: %w", ref, err)
	}
	if descriptor.Size > maxConfigBytes {
		return preparedRoot{}, fmt.Errorf("cannot read the configuration of image %q: it is larger than %d bytes", ref, int64(maxConfigBytes))
	}
	data, err := content.ReadBlob(ctx, e.client.ContentStore(), descriptor)
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot read the configuration of image %q: %w", ref, err)
	}
	config, err := decodeImageConfig(ref, data)
	if err != nil {
		return preparedRoot{}, err
	}
	layers, err := image.RootFS(ctx)
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot read the layers of image %q: %w", ref, err)
	}
	if err := e.removeRecord(ctx, name); err != nil {
		return preparedRoot{}, fmt.Errorf("cannot remove the old container %q: %w", name, err)
	}
	store := e.client.SnapshotService(snapshotter)
	if err := store.Remove(ctx, name); err != nil && !notFound(err) {
		return preparedRoot{}, fmt.Errorf("cannot remove the old root of container %q: %w", name, err)
	}
	mounts, err := store.Prepare(ctx, name, identity.ChainID(layers).String())
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot make the root of container %q: %w", name, err)
	}
	root := preparedRoot{config: config, image: ref, snapshot: name, snapshotter: snapshotter}
	for _, m := range mounts {
		root.mounts = append(root.mounts, &types.Mount{Type: m.Type, Source: m.Source, Target: m.Target, Options: m.Options})
	}
	err = withMounted(ctx, mounts, func(fsys fs.FS) error {
		root.user, err = resolveUser(fsys, config.User, s.Container.Security)
		return err
	})
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot start container %q: %w", name, err)
	}
	return root, nil
}

// CollectImages removes images no container of the document names; containerd's garbage collector then takes their blobs and snapshots, but
// never those that a container still uses.
func (e *containerdEngine) CollectImages(ctx context.Context, wanted []string) error {
	images, err := e.client.ImageService().List(ctx)
	if err != nil {
		return err
	}
	for _, i := range images {
		if slices.Contains(wanted, i.Name) {
			continue
		}
		if err := e.client.ImageService().Delete(ctx, i.Name); err != nil && !notFound(err) {
			return fmt.Errorf("cannot remove image %q: %w", i.Name, err)
		}
		e.options.Logf("removed image %q: no container uses it", i.Name)
	}
	return nil
}
